import { describe, expect, test } from 'vitest';
import {
  readableBytes,
  readableDuration,
  readableEarnings,
  readablePrice,
} from '../../../src/lib/readable.ts';
import { shortIds } from '../../../src/lib/short-id.ts';
import { wrap } from '../../../src/lib/wrap.ts';

describe('quantities for people', () => {
  test.each([
    [0, '0ms'],
    [230.4, '230ms'],
    [1_234, '1.2s'],
    [9_949, '9.9s'],
    [9_951, '10s'],
    [59_600, '1m'],
    [90_400, '1m30s'],
    [3_599_600, '1h'],
    [7_500_000, '2h5m'],
    [86_399_000, '1d'],
    [273_600_000, '3d4h'],
  ])('a duration of %d ms is %s', (ms, expected) => {
    expect(readableDuration(ms)).toBe(expected);
  });

  test.each([
    [0.05, '$0.05'],
    [1.5, '$1.50'],
    [12, '$12.00'],
    [0.000125, '$0.000125'],
    [0.1 + 0.2, '$0.30'],
  ])('a price of %d is %s', (dollars, expected) => {
    expect(readablePrice(dollars)).toBe(expected);
  });

  test('earnings have four digits, so that they line up', () => {
    expect([0, 0.01234, 2].map(readableEarnings)).toEqual(['$0.0000', '$0.0123', '$2.0000']);
  });

  test.each([
    [0, '0 B'],
    [850_000, '850 kB'],
    [29_900_000_000, '29.9 GB'],
    [500_000_000_000, '500 GB'],
    [2_000_000_000_000, '2 TB'],
  ])('%d bytes are %s', (bytes, expected) => {
    expect(readableBytes(bytes)).toBe(expected);
  });
});

describe('ids', () => {
  const uuid = '531d8edc-35c1-476b-b375-c44f3ddb9c69';
  test.each([
    [uuid, '531d8edc'],
    [`GPU-${uuid}#0`, 'GPU-531d8edc#0'],
    [`sha256:${'ab12'.repeat(16)}`, 'sha256:ab12ab12'],
    ['sharedcloud/python36:latest', 'sharedcloud/python36:latest'],
  ])('%s is %s', (id, expected) => {
    expect(shortIds(id)).toBe(expected);
  });
});

describe('wrapping', () => {
  test.each([
    ['', 5, ['']],
    ['a bc def', 5, ['a bc', 'def']],
    ['abcdefgh', 3, ['abc', 'def', 'gh']],
    ['a abcdef b', 4, ['a', 'abcd', 'ef b']],
    ['  a bc def', 7, ['  a bc', '  def']],
    ['    a bc', 5, ['a bc']],
  ])('%j at %d', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines);
  });
});
