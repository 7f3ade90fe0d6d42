import { expect, test } from 'vitest';
import { axisFormatsOf } from '../../../src/web/axis.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (time: string): number => Date.parse(time);

test('ticks are times of day, and the day at its midnight', () => {
  const { tick } = axisFormatsOf(['en-GB'], 'Europe/Berlin');
  expect(tick(at('2026-11-27T07:00Z'), HOUR)).toBe('08:00');
  expect(tick(at('2026-11-26T23:00Z'), HOUR)).toBe('27 Nov');
  expect(tick(at('2026-11-27T07:00Z'), DAY)).toBe('27 Nov');
  expect(tick(at('2026-11-01T07:00Z'), 30 * DAY)).toBe('Nov 26');
});

test('a day that begins at one o’clock has its tick, too', () => {
  const { tick } = axisFormatsOf(['en-GB'], 'Africa/Cairo');
  // Clocks were put from 0:00 to 1:00 on this day.
  expect(tick(at('2026-04-23T22:00Z'), HOUR)).toBe('24 Apr');
});

test('both hours of the night whose clocks are put back have ticks', () => {
  const { tick } = axisFormatsOf(['en-GB'], 'Europe/Berlin');
  const ticks = ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'].map((time) =>
    tick(at(time), HOUR),
  );
  expect(ticks).toEqual(['02:00', '02:00', '03:00']);
});

test('a date is written as it is, whatever the time zone', () => {
  const { date, dateTick } = axisFormatsOf(['en-GB'], 'Pacific/Pago_Pago');
  expect(dateTick('2026-11-27')).toBe('27 Nov');
  expect(date('2026-11-27')).toBe('Fri, 27 Nov 2026');
});

test('money on an axis is short', () => {
  const { dollars } = axisFormatsOf(['en-US']);
  expect([0, 0.005, 0.25, 2, 1500].map(dollars)).toEqual(['$0', '$0.005', '$0.25', '$2', '$1,500']);
});
