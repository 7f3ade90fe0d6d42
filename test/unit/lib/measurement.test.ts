import { expect, test } from 'vitest';
import { measurement, measurementIn } from '../../../src/lib/measurement.ts';

test.each([
  [0, 0],
  [1.5, 1.5],
  [1e300, 1e300],
  [-0.1, undefined],
  [-1, undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [Number.NEGATIVE_INFINITY, undefined],
  ['1', undefined],
  [null, undefined],
  [undefined, undefined],
  [{}, undefined],
])('%j is the measurement %j', (value, measured) => {
  expect(measurement(value)).toBe(measured);
});

test.each([
  ['42\n', 42],
  [' 0 ', 0],
  ['', undefined],
  ['-1', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['1.5', undefined],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['9'.repeat(400), undefined],
])('the text %j is the measurement %j', (text, measured) => {
  expect(measurementIn(text)).toBe(measured);
});
