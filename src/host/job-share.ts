import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { JobResources } from '../domain/ports/runtime.ts';

/** What the host keeps for itself, in bytes, as long as that leaves half of its memory to the jobs. */
const HOST_RESERVE = 2 * 1024 ** 3;
/** So that many slots on a small host still make progress. */
const MIN_CPUS = 0.25;

/** What each of so many jobs at once may use of this host where the owner has set no limit. */
export function hostShare(slots: number): JobResources {
  const total = totalmem();
  const jobs = Math.max(slots, 1);
  return {
    memoryBytes: Math.floor(Math.max(total - HOST_RESERVE, total / 2) / jobs),
    cpus: Math.max(availableParallelism() / jobs, MIN_CPUS),
  };
}

/**
 * The most files that a process of this host may be allowed to open, as far as our own limit tells: an engine that
 * was started under a lower one than it is asked for can start nothing. Undefined where nobody can tell.
 */
export function openFilesLimit(): number | undefined {
  try {
    const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return hard === undefined ? undefined : Number(hard);
  } catch {
    return undefined;
  }
}
