import { LIMITS } from '../limits.ts';
import { LeftOut } from './left-out.ts';
import { TokenBucket } from './token-bucket.ts';

/** Lines of one event in the long run. */
const LINES_PER_SECOND = 2;

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
  readonly #omitted: LeftOut<string>;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#omitted = new LeftOut(now);
  }

  /** Whether a line of the event may be written; else it is counted. */
  allows(event: string): boolean {
    if (UNLIMITED.has(event)) return true;
    const bucket = this.#buckets.get(event) ?? new TokenBucket(LIMITS.log.sameEvent.max, this.#now);
    this.#buckets.set(event, bucket);
    const isAllowed = bucket.takeOne(LINES_PER_SECOND);
    if (!isAllowed) this.#omitted.add(event);
    return isAllowed;
  }

  /** How many lines of which event were left out since the last count; nothing if that was a short while ago. */
  countOmitted(): readonly (readonly [event: string, lines: number])[] {
    return this.#omitted.takeDue();
  }
}
