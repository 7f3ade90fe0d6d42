import { describe, expect, test } from 'vitest';
import { Leases } from '../../../../src/embedded/broker/store/leases.ts';

describe('leases', () => {
  const holders = () => ['a', 'b'];

  test('expire after that much silence', () => {
    const leases = new Leases(10);
    leases.seen('a', 0);
    leases.seen('b', 5000);
    expect(leases.expired(holders, 9999)).toEqual([]);
    expect(leases.expired(holders, 10_000)).toEqual(['a']);
    leases.seen('a', 11_000);
    expect(leases.expired(holders, 15_000)).toEqual(['b']);
  });

  test('are not checked before one can expire', () => {
    const leases = new Leases(10);
    const checks: number[] = [];
    for (let now = 0; now <= 20_000; now += 1000) {
      leases.expired(() => {
        checks.push(now);
        return [];
      }, now);
    }
    expect(checks).toEqual([0, 10_000, 20_000]);
  });

  test('never expire without a lease time', () => {
    const leases = new Leases(undefined);
    leases.seen('a', 0);
    expect(leases.expired(holders, 1e12)).toEqual([]);
  });
});
