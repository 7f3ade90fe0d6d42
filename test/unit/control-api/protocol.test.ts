import { expect, test } from 'vitest';
import { REQUESTS } from '../../../src/control-api/protocol.ts';

test.each([
  ['an end that no calendar has', { untilMs: 1e300 }],
  ['an end before all time', { untilMs: -1 }],
  ['a time span that never ends', { forMs: 1e300 }],
  ['no time span', { forMs: 0 }],
  ['two ends', { forMs: 1, untilMs: 1 }],
  ['a name without a letter', { targets: [''] }],
  ['a word of a later version', { soon: true }],
])('a pause with %s is not understood', (_, body) => {
  expect(REQUESTS.pause.safeParse(body).success).toBe(false);
  expect(REQUESTS.reclaim.safeParse(body).success).toBe(false);
});
