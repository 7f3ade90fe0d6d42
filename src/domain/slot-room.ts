import type { Run } from './run.ts';

/** How long free slots may be filled, one entry per slot, and how long a job of a run is expected to take. In milliseconds. */
export type SlotWindows = {
  /** Infinity: no end of the slot's window is known. */
  readonly leftMs: readonly number[];
  readonly expectedMs: (run: Run) => number;
};

/** The free slots that a decision gives away. */
export class SlotRoom {
  #free: number;
  readonly #expectedMs: (run: Run) => number;
  /** Of the slots whose window ends or not, the shortest first; undefined: none ends. */
  readonly #leftMs: number[] | undefined;

  /** `free` may be less than there are windows, where not all slots may be filled now. */
  constructor(free: number, windows: SlotWindows | undefined) {
    this.#free = free;
    this.#expectedMs = windows?.expectedMs ?? (() => 0);
    const anyEnds = windows?.leftMs.some(Number.isFinite) === true;
    this.#leftMs = anyEnds ? windows.leftMs.toSorted((a, b) => a - b) : undefined;
  }

  get isFull(): boolean {
    return this.#free <= 0;
  }

  /** Gives slots to jobs of a run, those first whose window is just long enough; answers how many. */
  take(run: Run): number {
    const left = this.#leftMs;
    let jobs = Math.min(run.numJobs, this.#free);
    if (left !== undefined) {
      const expectedMs = this.#expectedMs(run);
      const first = left.findIndex((ms) => ms >= expectedMs);
      jobs = first < 0 ? 0 : left.splice(first, jobs).length;
    }
    this.#free -= jobs;
    return jobs;
  }
}
