import { expect, test } from 'vitest';
import { formatsOf, visible } from '../../../src/web/format.ts';

const AT = '2026-11-27T12:00:00.000Z';
const BERLIN = 'Europe/Berlin';
const us = formatsOf(['en-US'], BERLIN);
const german = formatsOf(['de-DE'], BERLIN);

/** Intl parts figures from their units by spaces of several kinds. */
const plain = (text: string): string => text.replace(/\s/gu, ' ');

test.each([
  [0, '0 sec'],
  [-5, '0 sec'],
  [45_900, '45 sec'],
  [14 * 60_000, '14 min'],
  [2 * 3_600_000, '2 hr'],
  [2 * 3_600_000 + 14 * 60_000, '2 hr 14 min'],
  [3 * 86_400_000 + 4 * 3_600_000, '3 days 4 hr'],
  [null, '–'],
])('a duration of %s ms has two units at most: %s', (ms, text) => {
  expect(plain(us.duration(ms))).toBe(text);
});

test.each([
  [0, '$0.00', '0,00 $'],
  [0.0139, '$0.0139', '0,0139 $'],
  [0.85, '$0.85', '0,85 $'],
  [-0.02, '-$0.0200', '-0,0200 $'],
  [1234.5, '$1,234.50', '1.234,50 $'],
])('%s dollars are written as the owner writes them', (sum, english, germanText) => {
  expect(plain(us.money(sum))).toBe(english);
  expect(plain(german.money(sum))).toBe(germanText);
});

test('a price is not rounded', () => {
  expect(us.price(0.1)).toBe('$0.10');
  expect(us.price(0.000125)).toBe('$0.000125');
});

test('a time has its day where that is not today in the owner’s time zone', () => {
  expect(german.time('2026-11-27T22:00:00.000Z', AT)).toBe('23:00');
  expect(german.time('2026-11-27T23:30:00.000Z', AT)).toContain('28');
  expect(plain(german.until('2026-11-27T14:14:00.000Z', AT))).toBe('until 15:14, in 2 Std. 14 Min.');
});

test('figures that are not known are a dash', () => {
  const { bytes, celsius, gib, percent, watts } = us;
  for (const write of [bytes, celsius, gib, percent, watts]) expect(write(null)).toBe('–');
});

test('figures have their units', () => {
  expect(plain(us.watts(339.6))).toBe('340 W');
  expect(us.percent(98)).toBe('98%');
  expect(us.celsius(71.4)).toBe('71°C');
  expect([us.gib(8300), us.gib(24_576), us.gib(0)]).toEqual(['8.1 GiB', '24 GiB', '0.0 GiB']);
  expect([us.bytes(0), us.bytes(850), us.bytes(3.2e9)]).toEqual(['0 B', '850 B', '3.2 GB']);
});

test('control characters and what turns the text around are shown, and do nothing', () => {
  expect(visible('\u202egnp.exe\u0007\u{1b}[2J')).toBe(String.raw`\u{202e}gnp.exe\u{7}\u{1b}[2J`);
});
