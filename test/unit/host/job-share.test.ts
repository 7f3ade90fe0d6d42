import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobResources } from '../../../src/compose.ts';
import { hostShare } from '../../../src/host/job-share.ts';

const GIB = 2 ** 30;
const HOST = { memoryBytes: 32 * GIB, cpus: 16 };
const NONE = { memoryBytes: undefined, cpus: undefined };
const UNSET = { jobCpus: undefined, jobMemory: undefined, reserveCpus: undefined, reserveMemory: undefined };

describe('the share of a job', () => {
  test.each([
    ['leaves 2 GiB to a host whose owner sets nothing', 1, NONE, 30, 16],
    ['is equal for all jobs', 2, NONE, 15, 8],
    ['leaves the owner’s reserve', 2, { memoryBytes: 8 * GIB, cpus: 4 }, 12, 6],
    ['is all of the host where the owner reserves nothing', 1, { memoryBytes: 0, cpus: undefined }, 32, 16],
    ['is a whole one without slots', 0, NONE, 30, 16],
  ])('%s', (_, slots, reserve, memoryGib, cpus) => {
    expect(hostShare(slots, reserve, HOST)).toEqual({ memoryBytes: memoryGib * GIB, cpus });
  });

  test('is never nothing, which an engine would take for no limit', () => {
    const all = { memoryBytes: 64 * GIB, cpus: 64 };
    expect(hostShare(4, all, HOST)).toEqual({ memoryBytes: 16 * 2 ** 20, cpus: 0.25 });
  });
});

describe('the limits of a job', () => {
  test('are the owner’s where nothing is reserved', () => {
    const limits = jobResources({ ...UNSET, jobMemory: 40 * GIB, jobCpus: 20 }, 2, HOST);
    expect(limits).toEqual({ memoryBytes: 40 * GIB, cpus: 20 });
  });

  test('all together never take from a reserve, whatever one job may use', () => {
    const gib = fc.integer({ min: 0, max: 24 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        gib,
        fc.integer({ min: 1, max: 12 }),
        gib,
        (slots, reserved, cores, job) => {
          const owner = { reserveMemory: reserved * GIB, reserveCpus: cores };
          const { cpus, memoryBytes } = jobResources(
            { ...owner, jobMemory: (job + 1) * GIB, jobCpus: job + 1 },
            slots,
            HOST,
          );
          expect(memoryBytes * slots).toBeLessThanOrEqual((32 - reserved) * GIB);
          expect(cpus * slots).toBeLessThanOrEqual(16 - cores + 1e-9);
        },
      ),
    );
  });
});
