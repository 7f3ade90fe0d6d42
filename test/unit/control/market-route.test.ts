import { expect, test } from 'vitest';
import { whatOf } from '../../../src/control/market-route.ts';
import { anOffer, aRun } from '../../support/domain.ts';

test('a bid below the ask is shown with both prices, as prices per minute', () => {
  const offer = anOffer({ askPrice: 0.05 });
  const what = whatOf({ offer, reason: 'bid-below-ask' }, aRun({ bidPrice: 0.000125 }));
  expect(what).toMatch(/\$0\.000125, .*\$0\.05 per minute$/);
});

test('a run for a larger GPU is shown with the GPU, and one that is taken without a reason', () => {
  const run = aRun({ baseGpuName: 'Nvidia H100' });
  expect(whatOf({ offer: anOffer(), reason: 'gpu-too-small' }, run)).toMatch(/: Nvidia H100$/);
  expect(whatOf({ offer: anOffer(), reason: undefined }, run)).toBeNull();
});
