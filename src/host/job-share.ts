import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** What the host keeps for itself, in bytes, as far as that leaves half to the jobs. */
const HOST_RESERVE = 2 * 1024 ** 3;

/** A job's share of this host where its owner has set none: all jobs together leave the host room to live. */
export class HostShare {
  /** How many jobs may run at once. */
  slots = 1;

  get memoryBytes(): number {
    const total = totalmem();
    return Math.floor(Math.max(total - HOST_RESERVE, total / 2) / Math.max(this.slots, 1));
  }

  /** At least a quarter of a core, so that many slots on a small host still move. */
  get cpus(): number {
    return Math.max(availableParallelism() / Math.max(this.slots, 1), 0.25);
  }
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
