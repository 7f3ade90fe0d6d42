import { LIMITS } from '../limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Lines of one event in the long run, and how often those that were left out are counted. */
const LINES_PER_SECOND = 2;
const COUNT_EVERY_MS = 60_000;

/** The life of a job that was claimed: a few lines for each, and slots bound how many jobs there are. */
const UNLIMITED: ReadonlySet<string> = new Set([
  'job-claimed',
  'job-started',
  'job-ended',
  'job-aborted',
  'job-cancelled',
  'job-release-queued',
  'job-released',
  'report-delivered',
  'report-refused',
]);

/** Limits the lines of each event of the log, because a stranger may cause the same one without end. */
export class LogRate {
  readonly #now: () => number;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #omitted = new Map<string, number>();
  #countedAt = Number.NEGATIVE_INFINITY;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a line of the event may be written; else it is counted. */
  allows(event: string): boolean {
    if (UNLIMITED.has(event)) return true;
    const bucket = this.#buckets.get(event) ?? new TokenBucket(LIMITS.log.sameEvent.max, this.#now);
    this.#buckets.set(event, bucket);
    const isAllowed = bucket.take(0, LINES_PER_SECOND) >= 1;
    if (isAllowed) bucket.take(1, LINES_PER_SECOND);
    else this.#omitted.set(event, (this.#omitted.get(event) ?? 0) + 1);
    return isAllowed;
  }

  /** How many lines of which event were left out since the last count; nothing if that was a short while ago. */
  countOmitted(): readonly (readonly [event: string, lines: number])[] {
    if (this.#omitted.size === 0 || this.#now() < this.#countedAt + COUNT_EVERY_MS) return [];
    this.#countedAt = this.#now();
    const counted = [...this.#omitted];
    this.#omitted.clear();
    return counted;
  }
}
