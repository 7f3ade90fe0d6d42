import { expect, test } from 'vitest';
import { instant } from '../../../src/cli/jobs/instant.ts';
import { BadValue } from '../../../src/config/value-type.ts';

const AT = Date.UTC(2026, 10, 26, 14, 3, 0);

test.each([
  ['2026-11-26T14:03:00Z', 'UTC', false],
  ['2026-11-26T14:03Z', 'UTC', false],
  ['2026-11-26 14:03:00 UTC', 'UTC', false],
  ['2026-11-26 14:03:00', 'UTC', true],
  ['2026-11-26T16:03:00+02:00', '+02:00', false],
  ['2026-11-26 16:03 +0200', '+02:00', false],
  ['2026-11-26T08:33:00-05:30', '-05:30', false],
])('%s is one time, in zone %s', (text, zone, assumed) => {
  expect(instant.read([text])).toEqual({ ms: AT, zone, assumed });
});

test('parts of a second count', () => {
  expect(instant.read(['2026-11-26T14:03:00.25Z']).ms).toBe(AT + 250);
});

test.each([
  '',
  'yesterday',
  '2026-11-26',
  '2026-02-30T14:03:00Z',
  '2026-11-26T25:03:00Z',
  '2026-11-26T14:03:00+99:00',
  '26.11.2026 14:03',
  '1795732219',
])('%j is refused', (text) => {
  expect(() => instant.read([text])).toThrow(BadValue);
});
