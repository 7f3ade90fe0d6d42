import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type DiskMonitoring,
  DiskQuotaMonitor,
  type DiskQuotaMonitorDeps,
} from '../../../../src/agent/jobs/disk-quota.ts';
import { JobTermination } from '../../../../src/agent/jobs/termination.ts';
import type { DiskSpace } from '../../../../src/domain/ports/host.ts';
import type { Exit } from '../../../../src/domain/ports/runtime.ts';
import { systemClock } from '../../../../src/lib/clock.ts';

const GB = 1e9;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A watch over containers that have written what `used` says, on a disk with so much room; in no real time. */
function watching(more: { readonly measure?: DiskQuotaMonitorDeps['runtime']['diskBytes'] } = {}) {
  const used = new Map<string, number>();
  const measured: string[] = [];
  let space: DiskSpace = { freeBytes: 100 * GB, freeInodes: 1 };
  let engineAnswers = true;
  const diskBytes = (container: string): Promise<number> => {
    measured.push(container);
    return Promise.resolve(used.get(container) ?? 0);
  };
  const monitor = new DiskQuotaMonitor({
    runtime: {
      storagePath: '/docker',
      diskBytes: more.measure ?? diskBytes,
      ping: () => (engineAnswers ? Promise.resolve() : Promise.reject(new Error('away'))),
    },
    clock: { now: systemClock.now, monotonic: () => Date.now() },
    diskSpace: () => space,
    diskLimitBytes: 20 * GB,
    minFreeBytes: 10 * GB,
  });
  const jobs = new Map<string, JobTermination>();
  const watches = new Map<string, DiskMonitoring>();
  return {
    measured,
    used,
    setSpace: (next: Partial<DiskSpace>): void => void (space = { ...space, ...next }),
    setEngine: (answers: boolean): void => void (engineAnswers = answers),
    begin: (container: string): DiskMonitoring & { readonly end: JobTermination } => {
      const end = new JobTermination(new AbortController().signal);
      jobs.set(container, end);
      const watch = monitor.watch(container, end);
      watches.set(container, watch);
      return Object.assign(watch, { end });
    },
    /** The jobs that have to end, and why. */
    ended: () =>
      Object.fromEntries(
        [...jobs].flatMap(([name, { reason: decided }]) => (decided ? [[name, decided]] : [])),
      ),
    fault: (container: string, exit: Partial<Exit> = {}) =>
      watches.get(container)?.fault({ code: 1, oomKilled: false, ...exit }),
    seconds: async (count: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(count * 1000)),
  };
}

describe('a job that writes', () => {
  test('is measured every ten seconds, and ends where it wrote more than it may', async () => {
    const at = watching();
    using _one = at.begin('one');
    await at.seconds(9.5);
    expect(at.measured).toEqual([]);
    await at.seconds(1);
    expect(at.measured).toEqual(['one']);
    at.used.set('one', 20 * GB + 1);
    await at.seconds(11);
    expect(at.ended()).toEqual({
      one: { kind: 'limit', what: 'it wrote more than 20000000000 bytes to its disk' },
    });
  });

  test('is measured at once when the disk has lost half of what it may still write', async () => {
    const at = watching();
    using _one = at.begin('one');
    at.setSpace({ freeBytes: 90.1 * GB });
    await at.seconds(1);
    expect(at.measured).toEqual([]);
    at.used.set('one', 18 * GB);
    at.setSpace({ freeBytes: 90 * GB });
    await at.seconds(1);
    expect(at.measured).toEqual(['one']);
    at.setSpace({ freeBytes: 89 * GB });
    await at.seconds(1);
    expect(at.measured).toEqual(['one', 'one']);
  });

  test('is not measured again and again where that takes long', async () => {
    let calls = 0;
    const at = watching({
      measure: () => new Promise((resolve) => setTimeout(() => resolve(++calls), 20_000)),
    });
    using _one = at.begin('one');
    await at.seconds(300);
    expect(calls).toBeLessThanOrEqual(3);
    expect(calls).toBeGreaterThan(1);
  });

  test('goes back where it cannot be measured although the engine answers, and only then', async () => {
    const at = watching({ measure: () => Promise.reject(new Error('no answer in time')) });
    at.setEngine(false);
    using _one = at.begin('one');
    await at.seconds(120);
    expect(at.ended()).toEqual({});
    at.setEngine(true);
    await at.seconds(40);
    expect(at.ended()).toMatchObject({ one: { kind: 'evicted' } });
  });
});

describe('a disk that runs full', () => {
  test('sends the job away that wrote most, and the next only where that was not enough', async () => {
    const at = watching();
    using _small = at.begin('small');
    using _large = at.begin('large');
    using _none = at.begin('none');
    at.used.set('small', 4 * GB);
    at.used.set('large', 8 * GB);
    await at.seconds(11);
    at.setSpace({ freeBytes: 5 * GB });
    await at.seconds(2);
    expect(at.ended()).toEqual({});
    at.setSpace({ freeBytes: 4.9 * GB });
    await at.seconds(2);
    expect(at.ended()).toEqual({
      large: { kind: 'evicted', why: 'this host is running out of disk' },
    });
    _large[Symbol.dispose]();
    await at.seconds(1);
    expect(Object.keys(at.ended()).sort()).toEqual(['large', 'small']);
  });

  test('sends the job away that came last where none has written much', async () => {
    const at = watching();
    using _first = at.begin('first');
    using _last = at.begin('last');
    at.used.set('first', 0.1 * GB);
    await at.seconds(11);
    at.setSpace({ freeBytes: 1 });
    await at.seconds(2);
    expect(Object.keys(at.ended())).toEqual(['last']);
  });

  test('does not wait for ever for a job that does not go', async () => {
    const at = watching();
    using _one = at.begin('one');
    using _two = at.begin('two');
    at.setSpace({ freeBytes: 1 });
    await at.seconds(20);
    expect(Object.keys(at.ended())).toEqual(['two']);
    await at.seconds(20);
    expect(Object.keys(at.ended()).sort()).toEqual(['one', 'two']);
  });

  test('takes first what cannot be measured, however much others have written', async () => {
    const measure = (container: string): Promise<number> =>
      container === 'hidden' ? Promise.reject(new Error('not measured')) : Promise.resolve(19 * GB);
    const at = watching({ measure });
    using _hidden = at.begin('hidden');
    using _heavy = at.begin('heavy');
    await at.seconds(12);
    at.setSpace({ freeBytes: 1 });
    await at.seconds(1);
    expect(Object.keys(at.ended())).toEqual(['hidden']);
  });

  test('of files counts too', async () => {
    const at = watching();
    using _one = at.begin('one');
    at.setSpace({ freeInodes: 0.03 });
    await at.seconds(2);
    expect(at.ended()).toEqual({});
    at.setSpace({ freeInodes: 0.01 });
    await at.seconds(2);
    expect(at.ended()).toMatchObject({ one: { kind: 'evicted' } });
  });
});

test('nothing is looked at once no job is there', async () => {
  const at = watching();
  at.begin('one')[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

describe('a job that failed', () => {
  const FULL = 'the disk of this host was full while it ran';

  test('is not to blame where the disk was full meanwhile, also where it has room again', async () => {
    const at = watching();
    using _one = at.begin('one');
    await at.seconds(1);
    expect(at.fault('one')).toBeUndefined();
    at.setSpace({ freeBytes: 50_000_000 });
    await at.seconds(1);
    at.setSpace({ freeBytes: 100 * GB });
    expect(at.fault('one')).toBe(FULL);
    using _later = at.begin('later');
    await at.seconds(1);
    expect(at.fault('later')).toBeUndefined();
  });

  test.each([{ freeBytes: 0 }, { freeInodes: 0 }])('is asked about at that moment: %j', (room) => {
    const at = watching();
    using _one = at.begin('one');
    at.setSpace(room);
    expect(at.fault('one')).toBe(FULL);
  });

  test.each([{ oomKilled: true, code: 137 }, { code: 128 + 25 }])(
    'is to blame for %j all the same',
    (exit) => {
      const at = watching();
      using _one = at.begin('one');
      at.setSpace({ freeBytes: 0 });
      expect(at.fault('one', exit)).toBeUndefined();
    },
  );
});
