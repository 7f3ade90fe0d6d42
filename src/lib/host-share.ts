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
