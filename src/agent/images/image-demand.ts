import type { SkipReason, Verdict } from '../../domain/decide.ts';
import { asAgentError } from '../../domain/errors.ts';
import { imageDayOf } from '../../domain/image-day.ts';
import { canonicalRefOf } from '../../domain/image-ref.ts';
import { type ImageDemand, imageValuePerDay } from '../../domain/image-value.ts';
import type { JobRecord } from '../../domain/job.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ImageDay, ImageRecords, ImageWins } from '../../domain/ports/image-records.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';
import { finish, inSlices, type Steps } from '../../lib/slices.ts';
import { LIMITS } from '../../limits.ts';
import { microDollars } from '../../pricing/money.ts';
import { DayCounts } from './day-counts.ts';

/** From a count to the disk: soon after a pause, else once a minute. */
const SAVE_SOON_MS = 1_000;
const SAVE_EVERY_MS = 60_000;
/** A transaction of so many takes a few milliseconds. */
const PER_WRITE = 50;
/** How long a job takes on a host that has won none yet. */
const FIRST_JOB_MINUTES = 1;

/**
 * What is skipped although an offer would take it with a free slot. Without these, images that keep a host busy would seem to
 * be wanted less than those that it has not.
 */
const WANTED: ReadonlySet<SkipReason> = new Set([
  'image-not-pulled',
  'image-failed',
  'no-slot',
  'gpu-memory-short',
]);

export type ImageDemandsDeps = {
  readonly records: Pick<ImageRecords, 'addDays' | 'daysOf' | 'firstDay' | 'imageOf' | 'wins'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  /** What the offers ask, in US dollars per minute. */
  readonly asks: () => readonly number[];
};

/**
 * Knows how each image is wanted, won, paid and used. Counts in memory, and writes at most once a minute: a kill loses the last
 * minute.
 */
export class ImageDemands {
  readonly #deps: ImageDemandsDeps;
  readonly #counts = new DayCounts();
  /** The runs that were counted on this day. */
  readonly #runs = new Set<string>();
  #runsOn = Number.NaN;
  readonly #changed = new Notifier();
  readonly #problems = new OncePerChange();
  /** Of what is on disk; undefined: to be read. */
  #host: { readonly today: number; readonly first: number; readonly wins: ImageWins } | undefined;

  constructor(deps: ImageDemandsDeps) {
    this.#deps = deps;
  }

  /** An offer has decided on a run. */
  decided(verdict: Verdict): void {
    const { function: fn, run } = verdict.open;
    if (fn === undefined || (verdict.kind === 'skip' && !WANTED.has(verdict.reason))) return;
    const day = this.#today;
    if (day !== this.#runsOn) this.#runs.clear();
    this.#runsOn = day;
    if (this.#runs.size >= LIMITS.broker.countedRuns.max || this.#runs.has(run.uuid)) return;
    this.#runs.add(run.uuid);
    this.#add(canonicalRefOf(fn.registryPath), { wanted: 1 });
  }

  /** The broker has decided on a claim of a job with this image. */
  tried(registryPath: string, isWon: boolean): void {
    const won = isWon ? { wins: 1, usedAt: this.#deps.clock.now() } : {};
    this.#add(canonicalRefOf(registryPath), { tries: 1, ...won });
  }

  /** A job has ended, and is reported or released. Never throws. */
  ended({ state, uuid }: JobRecord): void {
    const earnedMicroDollars = state.name === 'reported' ? microDollars(state.earned) : 0;
    this.#guarded(() => {
      this.#add(this.#deps.records.imageOf(uuid), { earnedMicroDollars, usedAt: this.#deps.clock.now() });
    });
  }

  /** What is known of the demand for an image, by its canonical reference. Throws JOURNAL_UNUSABLE. */
  demandOf(ref: string): ImageDemand {
    const { first, today, wins } = this.#hostWide();
    const days = this.#daysOf(ref, first);
    const wantedByDay = Array.from({ length: today - first + 1 }, () => 0);
    const sum = { tries: 0, wins: 0, earnedMicroDollars: 0 };
    for (const { day, earnedMicroDollars, tries, wanted, wins: won } of days) {
      // A clock that was wrong for a while may have left days that are yet to come, or long over.
      const before = wantedByDay[today - day];
      if (before === undefined) continue;
      wantedByDay[today - day] = before + wanted;
      sum.tries += tries;
      sum.wins += won;
      sum.earnedMicroDollars += earnedMicroDollars;
    }
    return { wantedByDay, ...sum, expectedMicroDollars: this.#expected(wins) };
  }

  /** In micro-dollars. Throws JOURNAL_UNUSABLE. */
  valuePerDay(ref: string): number {
    return imageValuePerDay(this.demandOf(ref));
  }

  /** When a job last used an image; undefined: on none of the days that are remembered. Throws JOURNAL_UNUSABLE. */
  usedAt(ref: string): number | undefined {
    const times = this.#daysOf(ref, this.#hostWide().first).flatMap(({ usedAt }) => usedAt ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** Saves what is counted until the signal aborts, and then the rest. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#changed.wait(signal);
      if (!(await sleep(SAVE_SOON_MS, signal))) break;
      await inSlices(this.#save());
      await sleep(SAVE_EVERY_MS - SAVE_SOON_MS, signal);
    }
    finish(this.#save());
  }

  /** Without what is counted meanwhile. What cannot be saved is tried again with the next counts. */
  *#save(): Steps<void> {
    for (let left = Math.ceil(this.#counts.size / PER_WRITE); left > 0; left -= 1) {
      const batch = this.#counts.first(PER_WRITE);
      if (!this.#guarded(() => this.#deps.records.addDays(batch))) return;
      this.#counts.forget(batch);
      this.#host = undefined;
      if (left > 1) yield 'long';
    }
  }

  #add(ref: string | undefined, more: Partial<Omit<ImageDay, 'day' | 'ref'>>): void {
    if (ref === undefined) return;
    this.#counts.add(this.#today, ref, more);
    this.#changed.notify();
  }

  /** A day that is not saved yet may be there twice. */
  #daysOf(ref: string, from: number): readonly ImageDay[] {
    return [...this.#deps.records.daysOf(ref, from), ...this.#counts.of(ref)];
  }

  #hostWide(): { readonly today: number; readonly first: number; readonly wins: ImageWins } {
    const today = this.#today;
    const from = today - LIMITS.journal.imageDays.max + 1;
    if (this.#host?.today !== today) {
      const first = this.#deps.records.firstDay(from) ?? today;
      this.#host = { today, first, wins: this.#deps.records.wins(from) };
    }
    const { wins } = this.#host;
    const known = [this.#host.first, ...this.#counts.days].filter((day) => day >= from && day <= today);
    return { today, first: Math.min(...known, today), wins: this.#counts.winsWith(wins) };
  }

  #expected({ earnedMicroDollars, wins }: ImageWins): number {
    if (wins > 0) return Math.round(earnedMicroDollars / wins);
    const asks = this.#deps.asks();
    const mean = asks.reduce((sum, ask) => sum + ask, 0) / Math.max(asks.length, 1);
    return microDollars(mean * FIRST_JOB_MINUTES);
  }

  get #today(): number {
    return imageDayOf(this.#deps.clock.now());
  }

  /** Whether the journal did it; a failure is logged once until it does the next thing. */
  #guarded(work: () => void): boolean {
    try {
      work();
      this.#problems.forget('');
      return true;
    } catch (thrown) {
      const { code, hint, message } = asAgentError(thrown);
      if (this.#problems.isNew(code))
        this.#deps.log.warn(
          { event: 'image-demand-not-saved', code, hint },
          `the demand for images is not saved for now, jobs go on: ${message}`,
        );
      return false;
    }
  }
}
