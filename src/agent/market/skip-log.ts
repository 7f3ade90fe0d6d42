import type { SkipReason } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Run } from '../../domain/run.ts';
import { LeftOut } from '../../lib/left-out.ts';
import type { Steps } from '../../lib/slices.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { LIMITS } from '../../limits.ts';
import type { Observer } from '../events/events.ts';

/** Skipped runs that get a line in the long run. */
const LINES_PER_SECOND = 1;

/** Reasons that are not reported. */
const TRANSIENT: readonly SkipReason[] = ['no-slot', 'no-open-jobs', 'unresolved'];

/** How many runs are skipped, by reason. */
export type SkipCounts = ReadonlyMap<SkipReason, number>;

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
  readonly #others: LeftOut<SkipReason>;
  /** Of the decision under way. */
  #counting = new Map<SkipReason, number>();
  #counts: SkipCounts = new Map();

  constructor(deps: SkipLogDeps) {
    this.#deps = deps;
    const now = (): number => deps.clock.monotonic();
    this.#lines = new TokenBucket(LIMITS.broker.skipLines.max, now);
    this.#others = new LeftOut(now);
  }

  /** Reports that a run is skipped, unless that is known or transient. */
  skipped(run: Run, reason: SkipReason): void {
    this.#counting.set(reason, (this.#counting.get(reason) ?? 0) + 1);
    if (TRANSIENT.includes(reason) || this.#reasons.get(run.uuid) === reason) return;
    this.#reasons.set(run.uuid, reason);
    if (this.#lines.takeOne(LINES_PER_SECOND))
      this.#deps.observe({ kind: 'run-skipped', offer: this.#deps.offer(), run, reason });
    else this.#others.add(reason);
  }

  /** How many runs the last decision skipped, by reason. */
  get counts(): SkipCounts {
    return this.#counts;
  }

  /**
   * A decision has ended. Reports how many runs were skipped without a line of their own, unless that was done a short
   * while ago.
   */
  decided(): void {
    this.#counts = this.#counting;
    this.#counting = new Map();
    const counts = this.#others.takeDue();
    if (counts.length === 0) return;
    const reasons = Object.fromEntries(counts);
    this.#deps.observe({ kind: 'runs-skipped', offer: this.#deps.offer(), reasons });
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
