import { describe, expect, test } from 'vitest';
import {
  calibration,
  currency,
  currencyRate,
  electricityPrices,
  fee,
  wear,
} from '../../../src/config/electricity-types.ts';
import { BadValue, type ValueType } from '../../../src/config/value-type.ts';

/** What a text is shown as; and that is read as the same. */
function shown<T>(type: ValueType<T>, ...written: readonly string[]): string {
  const value = type.read(written);
  const text = type.show?.(value) ?? String(value);
  expect(type.read([text])).toEqual(value);
  return text;
}

function isRefused<T>(type: ValueType<T>, written: string): boolean {
  try {
    type.read([written]);
    return false;
  } catch (thrown) {
    return thrown instanceof BadValue;
  }
}

describe('prices of electricity', () => {
  test.each([
    ['0.30', '0.3'],
    ['0', '0'],
    ['.5', '0.5'],
    ['3e-1', '0.3'],
    ['0.30; 22:00-06:00 0.18', '0.3; 22:00-06:00 0.18'],
    ['22:00-06:00 0.18; 0.30', '0.3; 22:00-06:00 0.18'],
    ['0.30; 22-6 0.18;', '0.3; 22:00-06:00 0.18'],
    ['0.3; sat,sun 0.2', '0.3; sat,sun 0.2'],
    ['0.3; sat, sun 0.2', '0.3; sat,sun 0.2'],
    ['0.3; mon - fri 9-12, 13-17:30 0.2', '0.3; mon-fri 09:00-12:00,13:00-17:30 0.2'],
    ['0.3; 9-12 mon,wed oct-mar 0.2', '0.3; mon,wed 09:00-12:00 oct-mar 0.2'],
    ['0.3; mar 0.2; may 0.1', '0.3; mar 0.2; may 0.1'],
    ['0.3; weekdays 0.2; weekend 0.1', '0.3; mon-fri 0.2; sat,sun 0.1'],
    ['0.3; mon-sun 0.2', '0.3; mon-sun 0.2'],
    ['0.3; jan-dec 0.2', '0.3; mon-sun 0.2'],
    ['0.3; 00:00-24:00 0.2', '0.3; 00:00-24:00 0.2'],
    ['0.3;\t22:00-06:00   0.18', '0.3; 22:00-06:00 0.18'],
  ])('%s', (written, expected) => {
    expect(shown(electricityPrices, written)).toBe(expected);
  });

  test('as a list', () => {
    expect(shown(electricityPrices, '0.3', 'sat-sun 0.2')).toBe('0.3; sat,sun 0.2');
  });

  test.each([
    '',
    ';',
    '22:00-06:00 0.18',
    '0.3; 0.4',
    '0,30',
    '0.3 EUR',
    '$0.3',
    '-0.1',
    '100001',
    'NaN',
    'Infinity',
    '0x10',
    '0.3; 22:00-06:00',
    '0.3; 22:00 0.2',
    '0.3; 06:00-06:00 0.2',
    '0.3; 25:00-26:00 0.2',
    '0.3; 24:00-06:00 0.2',
    '0.3; mon tue 0.2',
    '0.3; mon-fri-sat 0.2',
    '0.3; 1-2 3-4 0.2',
    '0.3; jan feb 0.2',
    '0.3; moonday 0.2',
    '0.3; m 0.2',
    `0.3; ${Array.from({ length: 51 }, () => 'sat 0.2').join(';')}`,
  ])('%j is refused', (written) => {
    expect(isRefused(electricityPrices, written)).toBe(true);
  });
});

test('a fee', () => {
  expect(['5%', '5 %', '0.05', '0', '90%', '2.5%'].map((text) => shown(fee, text))).toEqual([
    '5%',
    '5%',
    '5%',
    '0%',
    '90%',
    '2.5%',
  ]);
  expect(['', '%', '5', '91%', '-1%', '5%%', '0,05', 'five'].filter((text) => !isRefused(fee, text))).toEqual(
    [],
  );
});

test('wear', () => {
  expect(['0', '0.02', '100'].map((text) => shown(wear, text))).toEqual(['0', '0.02', '100']);
  expect(['', '-1', '101', '0,02', '$1'].filter((text) => !isRefused(wear, text))).toEqual([]);
});

test('a currency and its rate', () => {
  expect([shown(currency, 'eur'), shown(currency, 'USD')]).toEqual(['EUR', 'USD']);
  expect(['', 'EU', 'EURO', '€', 'E1R'].filter((text) => !isRefused(currency, text))).toEqual([]);
  expect([shown(currencyRate, '1.08'), shown(currencyRate, '10000')]).toEqual(['1.08', '10000']);
  expect(['', '0', '-1', '10001', '1,08'].filter((text) => !isRefused(currencyRate, text))).toEqual([]);
});

test('a calibration', () => {
  expect(shown(calibration, '95 at 12, 480 at 330')).toBe('95 at 12, 480 at 330');
  expect(shown(calibration, '480W at 330 W', '95 W AT 12')).toBe('95 at 12, 480 at 330');
  expect(calibration.read(['100 at 10, 430 at 310']).wall.perGpuWatt).toBeCloseTo(1.1, 9);
  expect(
    [
      '',
      '95 at 12',
      '95 at 12, 480 at 330, 500 at 350',
      '95,5 at 12, 480 at 330',
      '95 at 12, 480 at 31',
      '95 at 12, 200 at 330',
      '95 at 12, 900 at 330',
      '95 at 12, 95 at 12',
      '1.2.3 at 12, 480 at 330',
      '95 to 12, 480 to 330',
      '-95 at 12, 480 at 330',
    ].filter((text) => !isRefused(calibration, text)),
  ).toEqual([]);
});
