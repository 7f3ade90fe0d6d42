import { describe, expect, test } from 'vitest';
import { DEFAULT_CATALOGUE } from '../../../../src/embedded/broker/catalogue-data.ts';
import { brokerTime } from '../../../../src/embedded/broker/http/broker-time.ts';
import { isCurrent, preferredWait } from '../../../../src/embedded/broker/http/conditional.ts';
import { changed } from '../../../../src/embedded/broker/store/changed.ts';
import { Leases } from '../../../../src/embedded/broker/store/leases.ts';
import type { RunRow } from '../../../../src/embedded/broker/store/rows.ts';
import { RunList } from '../../../../src/embedded/broker/store/run-list.ts';

test.each([
  [undefined, 0],
  ['', 0],
  ['wait=25', 25],
  ['Wait = "25"', 25],
  ['respond-async, wait=7', 7],
  ['wait=7; foo', 7],
  ['wait=61', 60],
  ['wait=-1', 0],
  ['wait=soon', 0],
  ['await=9', 0],
  [['respond-async', 'wait=8'], 8],
])('Prefer: %s is a wait of %i s', (prefer, seconds) => {
  expect(preferredWait(prefer)).toBe(seconds);
});

test.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('If-None-Match: %s has "a": %s', (known, current) => {
  expect(isCurrent(known, '"a"')).toBe(current);
});

test('times are written day first, in UTC', () => {
  expect(brokerTime(Date.UTC(2019, 1, 3, 4, 5, 6, 999))).toBe('03-02-2019 04:05:06');
  expect(brokerTime(null)).toBeNull();
});

test('a change leaves alone what it does not name', () => {
  const row: { a: number; b: string | null } = { a: 1, b: 'x' };
  expect(changed(row, { a: undefined, b: null })).toEqual({ a: 1, b: null });
  expect(row).toEqual({ a: 1, b: 'x' });
});

describe('the catalogue', () => {
  test.each(['uuid', 'name', 'codename'] as const)('has every %s once', (key) => {
    expect(new Set(DEFAULT_CATALOGUE.map((gpu) => gpu[key])).size).toBe(DEFAULT_CATALOGUE.length);
  });

  test('names GPUs as the broker does and gives them proper uuids', () => {
    for (const gpu of DEFAULT_CATALOGUE) {
      expect(gpu.name).toMatch(/^Nvidia [A-Z].* \d+GB$/);
      expect(gpu.codename).toMatch(/^[a-z0-9-]+$/);
      expect(gpu.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(gpu.cudaCores % 32).toBe(0);
    }
  });
});

describe('leases', () => {
  const holders = () => ['a', 'b'];

  test('end for who was silent that long, and only then', () => {
    const leases = new Leases(10);
    leases.seen('a', 0);
    leases.seen('b', 5000);
    expect(leases.lapsed(holders, 9999)).toEqual([]);
    expect(leases.lapsed(holders, 10_000)).toEqual(['a']);
    leases.seen('a', 11_000);
    expect(leases.lapsed(holders, 15_000)).toEqual(['b']);
  });

  test('look at nobody before anybody’s can have ended', () => {
    const leases = new Leases(10);
    const looks: number[] = [];
    for (let now = 0; now <= 20_000; now += 1000) {
      leases.lapsed(() => {
        looks.push(now);
        return [];
      }, now);
    }
    expect(looks).toEqual([0, 10_000, 20_000]);
  });

  test('never end where there are none', () => {
    const leases = new Leases(undefined);
    leases.seen('a', 0);
    expect(leases.lapsed(holders, 1e12)).toEqual([]);
  });
});

describe('a list of runs', () => {
  const run: RunRow = {
    uuid: 'run',
    owner: 'buyer',
    function: 'fn',
    functionName: 'hello',
    baseGpu: null,
    baseGpuName: 'n/a',
    parameters: '((1,),)',
    numJobs: 1,
    bidPrice: 1,
    createdAt: 0,
  };

  test('has a new version when it changes and only then', () => {
    const list = new RunList();
    list.show(run, false);
    expect(list.version).toBe(0);
    list.show(run, true);
    list.show(run, true);
    expect([list.version, [...list.runs()]]).toEqual([1, [run]]);
    list.show(run, false);
    expect([list.version, [...list.runs()]]).toEqual([2, []]);
  });

  test('a wait ends with a change, with the signal, or at once where there is news', async () => {
    const list = new RunList();
    const { signal } = new AbortController();
    const over = new AbortController();
    const [byChange, bySignal] = [list.changed(0, signal), list.changed(0, over.signal)];
    expect(list.waiting).toBe(2);
    over.abort();
    await bySignal;
    expect(list.waiting).toBe(1);
    list.show(run, true);
    await byChange;
    await list.changed(0, signal);
    await list.changed(1, over.signal);
    expect(list.waiting).toBe(0);
  });
});
