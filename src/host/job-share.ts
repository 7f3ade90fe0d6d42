import { availableParallelism, totalmem } from 'node:os';
import type { JobResources } from '../domain/ports/runtime.ts';

/** Memory that the host keeps, in bytes, if that leaves at least half of it to the jobs. */
const HOST_RESERVE = 2 * 1024 ** 3;
/** Many slots on a small host still make progress. */
const MIN_CPUS = 0.25;

/** The memory and CPUs of one job, where the owner sets no limit. `slots` is the number of jobs at once. */
export function hostShare(slots: number): JobResources {
  const total = totalmem();
  const jobs = Math.max(slots, 1);
  return {
    memoryBytes: Math.floor(Math.max(total - HOST_RESERVE, total / 2) / jobs),
    cpus: Math.max(availableParallelism() / jobs, MIN_CPUS),
  };
}
