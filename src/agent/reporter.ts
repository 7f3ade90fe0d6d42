import PQueue from 'p-queue';
import { asAgentError } from '../domain/errors.ts';
import { earnings, type JobRecord } from '../domain/job.ts';
import type { Broker, Clock, Journal, ReportAnswer } from '../domain/ports.ts';
import type { Log } from '../lib/log.ts';
import type { Observer } from './events.ts';
import { BACKOFF, isPassing, waitAfter } from './retry.ts';
import { Wake } from './wake.ts';

/** So many reports are under way at once while the broker answers; one at a time while it does not. */
const AT_ONCE = 4;

type Tries = { readonly count: number; readonly dueAt: number };

/**
 * Gives the broker what it is owed, reports and releases, until it has taken them or says that they are not ours.
 * What is owed lies in the journal, so nothing is lost with this object. While the broker is away one delivery at
 * a time feels for it, each time another, so that one that always fails cannot hold up the rest.
 */
export class Reporter {
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observe: Observer;
  readonly #reloadToken: () => Promise<void>;
  readonly #wake = new Wake();
  readonly #queue = new PQueue({ concurrency: AT_ONCE });
  readonly #tries = new Map<string, Tries>();
  readonly #sending = new Set<string>();
  /** Failures in a row, of whatever delivery; 0 while the broker answers. */
  #outage = 0;
  #feelAgainAt = 0;

  constructor(deps: {
    readonly broker: Broker;
    readonly journal: Journal;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
    readonly observe: Observer;
    readonly reloadToken: () => Promise<void>;
  }) {
    this.#broker = deps.broker;
    this.#journal = deps.journal;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#log = deps.log;
    this.#observe = deps.observe;
    this.#reloadToken = deps.reloadToken;
  }

  /** Whether the broker is owed nothing. */
  get settled(): boolean {
    return this.#owed().length === 0;
  }

  /** Looks at the journal again: something new is owed. */
  wake(): void {
    this.#wake.ring();
  }

  /** Delivers until the signal aborts; a delivery under way is then given up, the journal still has it. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = this.#sendWhatIsDue(signal);
      await this.#wake.wait(signal, waitMs);
    }
    await this.#queue.onIdle();
  }

  #owed(): readonly JobRecord[] {
    return this.#journal.inState('finished', 'releasing');
  }

  /** Answers after how long to look again; undefined: when woken. */
  #sendWhatIsDue(signal: AbortSignal): number | undefined {
    const now = this.#clock.monotonic();
    const waiting = this.#owed().filter((job) => !this.#sending.has(job.uuid));
    if (this.#outage > 0) {
      if (this.#sending.size > 0 || waiting.length === 0) return undefined;
      if (now < this.#feelAgainAt) return this.#feelAgainAt - now;
      const least = waiting.reduce((a, b) => (this.#triesOf(b).count < this.#triesOf(a).count ? b : a));
      this.#send(least, signal);
      return undefined;
    }
    let soonest: number | undefined;
    for (const job of waiting) {
      const { dueAt } = this.#triesOf(job);
      if (dueAt <= now) this.#send(job, signal);
      else soonest = Math.min(soonest ?? dueAt, dueAt);
    }
    return soonest === undefined ? undefined : soonest - now;
  }

  #triesOf(job: JobRecord): Tries {
    return this.#tries.get(job.uuid) ?? { count: 0, dueAt: 0 };
  }

  #send(job: JobRecord, signal: AbortSignal): void {
    this.#sending.add(job.uuid);
    void this.#queue.add(async () => {
      try {
        if (signal.aborted) return;
        const answer = await this.#deliver(job, signal);
        this.#outage = 0;
        this.#tries.delete(job.uuid);
        this.#settle(job, answer);
      } catch (thrown) {
        if (!signal.aborted) await this.#failed(job, thrown, signal);
      } finally {
        this.#sending.delete(job.uuid);
        this.#wake.ring();
      }
    });
  }

  #deliver(job: JobRecord, signal: AbortSignal): Promise<ReportAnswer> {
    if (job.state.name === 'finished') {
      return this.#broker.report(job.uuid, job.instance, job.state.report, signal);
    }
    return this.#broker.release(job.uuid, job.instance, signal);
  }

  #settle(job: JobRecord, answer: ReportAnswer): void {
    if (answer.kind !== 'taken') {
      const why =
        answer.kind === 'gone'
          ? 'the broker does not know the job any more'
          : 'the broker says it is not ours';
      const dropped = this.#journal.move(job.uuid, { name: 'dropped', why });
      if (job.state.name === 'finished') this.#observe({ kind: 'report-refused', job: dropped, why });
    } else if (job.state.name === 'finished') {
      const { durationMs, report } = job.state;
      const earned = answer.cost ?? earnings(report.status, job.askPrice, durationMs);
      const state = { name: 'reported', status: report.status, durationMs, earned } as const;
      this.#observe({ kind: 'report-delivered', job: this.#journal.move(job.uuid, state), earned });
    } else if (job.state.name === 'releasing') {
      const released = this.#journal.move(job.uuid, { name: 'released', why: job.state.why });
      this.#observe({ kind: 'job-released', job: released });
    }
  }

  async #failed(job: JobRecord, thrown: unknown, signal: AbortSignal): Promise<void> {
    const error = asAgentError(thrown);
    const count = this.#triesOf(job).count + 1;
    const waitMs = waitAfter(error, BACKOFF.report, count, this.#random);
    this.#tries.set(job.uuid, { count, dueAt: this.#clock.monotonic() + waitMs });
    if (isPassing(error) || error.code === 'BROKER_UNAUTHORIZED') {
      this.#outage += 1;
      const feelMs = waitAfter(error, BACKOFF.report, this.#outage, this.#random);
      this.#feelAgainAt = this.#clock.monotonic() + feelMs;
    }
    const fields = { job: job.uuid, code: error.code, tries: count, retryInMs: waitMs };
    const level = count > 1 ? 'warn' : 'debug';
    this.#log[level](fields, `not delivered yet, kept on disk: ${error.message}`);
    if (error.code === 'BROKER_UNAUTHORIZED' && !signal.aborted) await this.#reloadToken();
  }
}
