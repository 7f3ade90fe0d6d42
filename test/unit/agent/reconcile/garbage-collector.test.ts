import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Orphans, planGarbageCollection } from '../../../../src/agent/reconcile/garbage-collector.ts';

const NONE: Orphans = { containers: [], folders: [] };
const found = (...jobs: readonly string[]) => ({
  containers: jobs.map((job) => ({ id: `c-${job}`, job })),
  folders: jobs,
});

describe('an orphan', () => {
  test('is removed by the second collection that finds it', () => {
    const first = planGarbageCollection(found('gone', 'open'), (job) => job === 'open', NONE);
    expect(first.remove).toEqual(NONE);
    expect(first.orphans).toEqual({ containers: ['c-gone'], folders: ['gone'] });
    const second = planGarbageCollection(found('gone', 'open'), (job) => job === 'open', first.orphans);
    expect(second.remove).toEqual({ containers: ['c-gone'], folders: ['gone'] });
  });

  test('is none any more once its job is claimed again', () => {
    const first = planGarbageCollection(found('job'), () => false, NONE);
    expect(planGarbageCollection(found('job'), () => true, first.orphans).remove).toEqual(NONE);
  });

  test('is another where the container is another, although the job is the same', () => {
    const first = planGarbageCollection(found('job'), () => false, NONE);
    const again = { containers: [{ id: 'c-new', job: 'job' }], folders: [] };
    expect(planGarbageCollection(again, () => false, first.orphans).remove).toEqual(NONE);
  });
});

test('whatever was seen before, nothing in use is removed, and nothing that was not found', () => {
  const jobs = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd'));
  fc.assert(
    fc.property(jobs, jobs, jobs, (there, used, seen) => {
      const before = { containers: seen.map((job) => `c-${job}`), folders: seen };
      const { remove } = planGarbageCollection(found(...there), (job) => used.includes(job), before);
      for (const job of used) {
        expect(remove.folders).not.toContain(job);
        expect(remove.containers).not.toContain(`c-${job}`);
      }
      expect(remove.folders.every((job) => there.includes(job) && seen.includes(job))).toBe(true);
    }),
  );
});
