import { expectedDurationMs } from '../../domain/expected-duration.ts';
import type { Slot } from '../../domain/offer.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Run } from '../../domain/run.ts';
import type { SlotWindows } from '../../domain/slot-room.ts';
import type { OfferSlots, SlotLease } from '../jobs/slot-pool.ts';

/** So many functions are remembered; each costs a query otherwise. */
const MAX_REMEMBERED = 10_000;

export type JobWindowsDeps = {
  readonly journal: Pick<Journal, 'durationsOf'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly jobTimeoutMs: number;
  /** When a slot is next kept from new jobs, in milliseconds of the wall clock; undefined: not known. */
  readonly windowEnd: (slot: Slot) => number | undefined;
};

/** Finds slots for jobs that can end before the slot is kept from new jobs: by how long the function's jobs took here. */
export class JobWindows {
  readonly #deps: JobWindowsDeps;
  /** By the function's uuid, in milliseconds. */
  readonly #expectedMs = new Map<string, number>();

  constructor(deps: JobWindowsDeps) {
    this.#deps = deps;
  }

  /** What decisions need to know of the free slots. */
  of({ freeSlots }: OfferSlots): SlotWindows {
    return {
      leftMs: freeSlots.map((slot) => this.#leftMs(slot)),
      expectedMs: (run) => this.expectedMs(run),
    };
  }

  /** Leases a slot whose window is long enough for a job of the run; undefined: none is. */
  take(slots: OfferSlots, run: Run): SlotLease | undefined {
    return slots.take(
      (slot) => this.#leftMs(slot),
      () => this.expectedMs(run),
    );
  }

  /** A job of the run has ended: one more duration may be known. */
  ended({ functionUuid }: Run): void {
    this.#expectedMs.delete(functionUuid);
  }

  /** How long a job of the run is expected to take, in milliseconds. */
  expectedMs({ functionUuid }: Run): number {
    const known = this.#expectedMs.get(functionUuid);
    if (known !== undefined) return known;
    const { jobTimeoutMs, journal } = this.#deps;
    const expected = expectedDurationMs(journal.durationsOf(functionUuid), jobTimeoutMs);
    if (this.#expectedMs.size >= MAX_REMEMBERED) this.#expectedMs.clear();
    this.#expectedMs.set(functionUuid, expected);
    return expected;
  }

  #leftMs(slot: Slot): number {
    const { clock, windowEnd } = this.#deps;
    return (windowEnd(slot) ?? Infinity) - clock.now();
  }
}
