import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';

/** After an image's probe proved nothing, its jobs go without a network this long before the next: doubled each time. */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 1_800_000;

/** A probe that proved nothing. */
export type FailedVerification = {
  /** The essence of the probeTargets that was not met. */
  readonly of: string;
  readonly why: AgentError;
  /** It reached what it must not, or missed what it must find; else it could not be run. Only as its image says. */
  readonly open: boolean;
};

type Kept = FailedVerification & { readonly until: number; readonly waitMs: number };

/** What the probes of each image failed to prove. */
export class FailedVerifications {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What keeps an image from another try; undefined: nothing does. */
  of(image: string, of: string): FailedVerification | undefined {
    const kept = this.#kept.get(image);
    return kept?.of === of && this.#clock.monotonic() < kept.until ? kept : undefined;
  }

  add(image: string, failed: FailedVerification): void {
    const now = this.#clock.monotonic();
    for (const [other, { until }] of this.#kept) if (now > until + LONGEST_WAIT_MS) this.#kept.delete(other);
    const before = this.#kept.get(image);
    const waitMs = before?.of === failed.of ? Math.min(before.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    this.#kept.set(image, { ...failed, until: now + waitMs, waitMs });
  }

  forget(image: string): void {
    this.#kept.delete(image);
  }

  /** Whether two images say that it is open. One may say so only to take the network from the jobs of others. */
  agree(of: string): boolean {
    const open = [...this.#kept.keys()].filter((image) => this.of(image, of)?.open === true);
    return open.length > 1;
  }
}
