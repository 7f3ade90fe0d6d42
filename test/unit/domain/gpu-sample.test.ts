import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isThermal, throttleReasons } from '../../../src/domain/gpu-sample.ts';

describe('throttle reasons', () => {
  test.each([
    ['0x0000000000000000', []],
    ['0x0000000000000001', []],
    ['0x0000000000000004', ['power_cap']],
    ['0x0000000000000024', ['power_cap', 'sw_thermal']],
    ['0x00000000000000C8', ['hw_slowdown', 'hw_thermal', 'hw_power_brake']],
    ['0x0000000000000112', ['clocks_setting', 'sync_boost', 'display_clock']],
    ['0xFFFFFFFFFFFFFE00', []],
    ['[N/A]', []],
    ['[Not Supported]', []],
    ['Active', []],
    ['', []],
    ['0x', []],
    ['0x00000000000000000000', []],
    ['36', []],
  ])('%s', (mask, reasons) => expect(throttleReasons(mask)).toEqual(reasons));

  test('any text is read without an error', () => {
    const reads = fc.property(fc.string(), (mask) => {
      expect(throttleReasons(mask)).toBeInstanceOf(Array);
    });
    fc.assert(reads);
  });
});

test.each([
  [[], false],
  [['power_cap', 'hw_power_brake', 'hw_slowdown'] as const, false],
  [['sw_thermal'] as const, true],
  [['power_cap', 'hw_thermal'] as const, true],
])('%j is thermal: %s', (throttle, expected) => expect(isThermal({ throttle })).toBe(expected));
