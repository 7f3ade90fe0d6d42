import { expect, test } from 'vitest';
import { bandwidth, showBandwidth } from '../../../src/config/bandwidth.ts';
import { BadValue } from '../../../src/config/value-type.ts';

test.each([
  ['20 Mbit/s', 20e6],
  ['20Mbit/s', 20e6],
  ['20 mbit/s', 20e6],
  ['64 kbit/s', 64e3],
  ['2.5 MB/s', 20e6],
  ['1 Gbit/s', 1e9],
  ['500 kB/s', 4e6],
])('%s is %d bits per second, and shown so that it reads the same', (text, bits) => {
  expect(bandwidth.read([text])).toBe(bits);
  expect(bandwidth.read([showBandwidth(bits)])).toBe(bits);
});

test.each([
  '20',
  '20 M',
  '20 MB',
  '20 mb/s',
  '20 Mb/s',
  '20 Mbps',
  '1 kbit/s',
  '2000 Gbit/s',
  '-1 Mbit/s',
  'fast',
  '',
])('%s is refused rather than guessed', (text) => {
  expect(() => bandwidth.read([text])).toThrow(BadValue);
});
