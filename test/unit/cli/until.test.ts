import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { untilInstant } from '../../../src/cli/owner/until.ts';

/* In Berlin the clocks went forward at 02:00 on 2026-03-29, and go back at 03:00 on 2026-10-25. */

beforeEach(() => void vi.stubEnv('TZ', 'Europe/Berlin'));
afterEach(() => void vi.unstubAllEnvs());

test.each([
  ['later today', '2026-06-01T18:00+02:00', '22:00', '2026-06-01T22:00+02:00'],
  ['earlier than now', '2026-06-30T22:30+02:00', '22:00', '2026-07-01T22:00+02:00'],
  ['this minute', '2026-12-31T22:00:30+01:00', '22:00', '2027-01-01T22:00+01:00'],
  [
    'over the night in which the clocks go forward',
    '2026-03-28T23:00+01:00',
    '06:00',
    '2026-03-29T06:00+02:00',
  ],
  ['shown twice', '2026-10-24T20:00+02:00', '02:30', '2026-10-25T02:30+02:00'],
  ['shown once more', '2026-10-25T02:10+01:00', '02:30', '2026-10-25T02:30+01:00'],
  ['of a day', '2026-06-01T18:00+02:00', '2026-12-24T18:00', '2026-12-24T18:00+01:00'],
  ['of a day, with a blank', '2026-06-01T18:00+02:00', '2028-02-29 00:00', '2028-02-29T00:00+01:00'],
])('a time %s is the next instant that the clock shows it', (_, now, text, wanted) => {
  expect(new Date(untilInstant(text, Date.parse(now)))).toEqual(new Date(wanted));
});

test.each([
  ['in the past', '2026-06-01T18:00+02:00', '2026-05-31T18:00'],
  ['that the clocks skip tomorrow', '2026-03-28T23:00+01:00', '02:30'],
  ['that the clocks skip', '2026-01-01T00:00+01:00', '2026-03-29T02:00'],
  ['of no day', '2026-01-01T00:00+01:00', '2026-02-30T12:00'],
  ['of the 31st of a short month', '2026-01-01T00:00+01:00', '2026-04-31T12:00'],
  ['of no month', '2026-01-01T00:00+01:00', '2026-13-01T12:00'],
  ['of no hour', '2026-01-01T00:00+01:00', '24:00'],
  ['of no minute', '2026-01-01T00:00+01:00', '2026-04-01T12:60'],
  ['in words', '2026-01-01T00:00+01:00', 'tomorrow'],
  ['that is missing', '2026-01-01T00:00+01:00', ''],
])('a time %s is refused', (_, now, text) => {
  expect(() => untilInstant(text, Date.parse(now))).toThrow(
    expect.objectContaining({ code: 'TIME_INVALID' }),
  );
});
