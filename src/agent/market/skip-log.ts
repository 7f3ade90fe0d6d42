import type { SkipReason } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Run } from '../../domain/run.ts';
import type { Steps } from '../../lib/slices.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { LIMITS } from '../../limits.ts';
import type { Observer } from '../events/events.ts';

/** Skipped runs that get a line in the long run, and how often the others are counted. */
const LINES_PER_SECOND = 1;
const COUNT_EVERY_MS = 60_000;

/** Reasons that are not reported. */
const TRANSIENT: readonly SkipReason[] = ['no-slot', 'no-open-jobs', 'unresolved'];

export type SkipLogDeps = {
  readonly offer: () => Offer;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly observe: Observer;
};

/**
 * Reports why an offer skips runs, once per run and reason. A broker may list new runs without end, so beyond a rate they
 * are only counted.
 */
export class SkipLog {
  readonly #deps: SkipLogDeps;
  readonly #lines: TokenBucket;
  /** The last reason of each run on the market. */
  #reasons = new Map<string, SkipReason>();
  #counts = new Map<SkipReason, number>();
  #countAt = Number.NEGATIVE_INFINITY;

  constructor(deps: SkipLogDeps) {
    this.#deps = deps;
    this.#lines = new TokenBucket(LIMITS.broker.skipLines.max, () => deps.clock.monotonic());
  }

  /** Reports that a run is skipped, unless that is known or transient. */
  skipped(run: Run, reason: SkipReason): void {
    if (TRANSIENT.includes(reason) || this.#reasons.get(run.uuid) === reason) return;
    this.#reasons.set(run.uuid, reason);
    if (this.#lines.take(0, LINES_PER_SECOND) >= 1) {
      this.#lines.take(1, LINES_PER_SECOND);
      this.#deps.observe({ kind: 'run-skipped', offer: this.#deps.offer(), run, reason });
    } else this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Reports how many runs were skipped without a line of their own, unless that was done a short while ago. */
  reportCounts(): void {
    const now = this.#deps.clock.monotonic();
    if (this.#counts.size === 0 || now < this.#countAt + COUNT_EVERY_MS) return;
    this.#countAt = now;
    this.#deps.observe({
      kind: 'runs-skipped',
      offer: this.#deps.offer(),
      reasons: Object.fromEntries(this.#counts),
    });
    this.#counts = new Map();
  }

  /** Forgets the runs that have left the market. */
  *retain(runs: ReadonlySet<string>): Steps<void> {
    const kept = new Map<string, SkipReason>();
    for (const [run, reason] of this.#reasons) {
      if (runs.has(run)) kept.set(run, reason);
      yield;
    }
    this.#reasons = kept;
  }
}
