import { expect, test } from 'vitest';
import { REQUESTS } from '../../../src/control-api/protocol.ts';

test.each([
  ['an end that no calendar has', { until: '99999-01-01T00:00:00Z' }],
  ['an end in milliseconds', { until: 1_800_000_000_000 }],
  ['a time span that never ends', { forMs: 1e300 }],
  ['no time span', { forMs: 0 }],
  ['two ends', { forMs: 1, until: '2026-12-24T18:00:00Z' }],
  ['a name without a letter', { targets: [''] }],
  ['a word of a later version', { soon: true }],
])('a pause with %s is not understood', (_, body) => {
  expect(REQUESTS.pause.safeParse(body).success).toBe(false);
  expect(REQUESTS.reclaim.safeParse(body).success).toBe(false);
});
