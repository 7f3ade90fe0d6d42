import { expect, test } from 'vitest';
import { fixedAsk } from '../../../src/pricing/fixed-ask.ts';

test.each([
  [[], 0.01, 0.02],
  [[0.05], 0.01, 0.05],
  [[0.08, 0.02, 0.04], 0.01, 0.04],
  [[0.02, 0.04], 0.01, 0.03],
  [[0.002, 0.004], 0.01, 0.01],
])('the fixed ask beside %j and above a floor of %d is %d', (asks, floor, ask) => {
  expect(fixedAsk(asks, floor)).toBeCloseTo(ask, 12);
});
