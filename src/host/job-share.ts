import { availableParallelism, totalmem } from 'node:os';
import type { JobResources } from '../domain/ports/runtime.ts';

/** Memory that the host keeps where the owner sets none, in bytes, if that leaves at least half of it to the jobs. */
const HOST_RESERVE = 2 * 1024 ** 3;
/** Many slots on a small host still make progress. */
const MIN_CPUS = 0.25;
/** The least memory of a job, in bytes: an engine takes none for no limit. */
const MIN_MEMORY = 16 * 1024 ** 2;

/** What jobs leave to the owner of this host; undefined: the owner sets none. */
export type HostReserve = { readonly memoryBytes: number | undefined; readonly cpus: number | undefined };

/** The memory in bytes and the CPUs of this host. */
export type HostSize = { readonly memoryBytes: number; readonly cpus: number };

/** This host as it is. */
export function hostSize(): HostSize {
  return { memoryBytes: totalmem(), cpus: availableParallelism() };
}

/** The memory and CPUs of one job, where the owner sets no limit. `slots` is the number of jobs at once. */
export function hostShare(slots: number, reserve: HostReserve, host: HostSize = hostSize()): JobResources {
  const jobs = Math.max(slots, 1);
  const total = host.memoryBytes;
  const forJobs =
    reserve.memoryBytes === undefined
      ? Math.max(total - HOST_RESERVE, total / 2)
      : total - Math.min(reserve.memoryBytes, total);
  return {
    memoryBytes: Math.max(Math.floor(forJobs / jobs), MIN_MEMORY),
    cpus: Math.max((host.cpus - (reserve.cpus ?? 0)) / jobs, MIN_CPUS),
  };
}
