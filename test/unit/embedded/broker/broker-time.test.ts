import { expect, test } from 'vitest';
import { brokerTime } from '../../../../src/embedded/broker/http/broker-time.ts';

test('formats a time day first, in UTC', () => {
  expect(brokerTime(Date.UTC(2019, 1, 3, 4, 5, 6, 999))).toBe('03-02-2019 04:05:06');
  expect(brokerTime(null)).toBeNull();
});
