import PQueue from 'p-queue';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { earnings, type FinalStatus, JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { Broker, ReportAnswer } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { earliest } from '../../lib/backoff-map.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { isTransient, waitAfter } from '../retry/retry.ts';
import {
  type ContentRefusals,
  contentRefused,
  deliverable,
  isContentRefusal,
  isRefusedForGood,
  NOT_REFUSED,
} from './content-refusals.ts';

/** Deliveries at the same time while the broker answers; one at a time while it does not. */
const CONCURRENCY = 4;

/** The failed deliveries of one report or release. `dueAt` is monotonic. */
type Tries = {
  readonly count: number;
  /** How often the broker itself refused it with a 4xx. */
  readonly refusals: number;
  /** How often in a row, and with which status, the broker refused what the report says. */
  readonly content: ContentRefusals;
  readonly dueAt: number;
  /** Whether it waits until then whatever happens to others: it alone failed, or the broker named the time. */
  readonly isFixed: boolean;
  /** How many deliveries the broker had answered when it failed. */
  readonly answers: number;
};

const UNTRIED: Tries = {
  count: 0,
  refusals: 0,
  content: NOT_REFUSED,
  dueAt: 0,
  isFixed: false,
  answers: 0,
};

/** After so many refusals of a release the broker is asked whether the job is ours at all. */
const RELEASE_REFUSALS = 2;

/** After so many refusals the broker will hardly ever accept it. */
const EXHAUSTED_REFUSALS = 4;

/** After an outage the waiting deliveries are spread over this time. */
const SPREAD_MS = 2_000;

export type ReporterDeps = {
  readonly broker: Pick<Broker, 'report' | 'release' | 'job'>;
  readonly journal: Pick<Journal, 'uuidsIn' | 'get' | 'transition'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  /** Notified with each job whose report or release the broker has accepted. */
  readonly accepted: Notifier<JobRecord>;
  /** Called after the broker has refused the token. */
  readonly onRefused: () => void;
};

/**
 * Delivers reports and releases until the broker has accepted them or says that the job is not ours. They are in the
 * journal, so nothing is lost with this object. While the broker is unreachable a single delivery probes it, each time
 * another one, so that one that always fails cannot hold up the rest.
 */
export class Reporter {
  readonly #broker: ReporterDeps['broker'];
  readonly #journal: ReporterDeps['journal'];
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observe: Observer;
  readonly #accepted: Notifier<JobRecord>;
  readonly #onRefused: () => void;
  readonly #wake = new Notifier();
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  readonly #attempts = new Map<string, Tries>();
  readonly #sending = new Set<string>();
  /** Answers of the broker that the disk has refused to keep so far. */
  readonly #unwritten = new Map<string, ReportAnswer>();
  /** Failures in a row of all deliveries; 0 while the broker answers. */
  #outage = 0;
  #probeAgainAt = 0;
  /** How many deliveries the broker has accepted or declined for good. */
  #answers = 0;

  constructor(deps: ReporterDeps) {
    this.#broker = deps.broker;
    this.#journal = deps.journal;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#log = deps.log;
    this.#observe = deps.observe;
    this.#accepted = deps.accepted;
    this.#onRefused = deps.onRefused;
  }

  /** Whether nothing is pending. */
  get drained(): boolean {
    return this.#pending().length === 0;
  }

  /** Whether the broker has refused all that is pending, again and again. */
  get exhausted(): boolean {
    const pending = this.#pending();
    return pending.length > 0 && pending.every((job) => this.#attemptsOf(job).refusals >= EXHAUSTED_REFUSALS);
  }

  /** Something new is pending in the journal. */
  wake(): void {
    this.#wake.notify();
  }

  /** The broker has answered another call. `again`: for the first time after an outage, so what waits is sent soon. */
  brokerAnswered(again: boolean): void {
    if (again) {
      this.retrySoon();
    } else if (this.#outage > 0) {
      this.#outage = 0;
      this.#wake.notify();
    }
  }

  /** Delivers soon what waits, except for what failed while other deliveries succeeded. */
  retrySoon(): void {
    this.#outage = 0;
    const soon = (): number => this.#clock.monotonic() + this.#random() * SPREAD_MS;
    for (const [job, tries] of this.#attempts) {
      if (!tries.isFixed) this.#attempts.set(job, { ...tries, dueAt: soon() });
    }
    this.#wake.notify();
  }

  /** Delivers until the signal aborts. A delivery under way is then abandoned, and still in the journal. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#wake.wait(signal, this.#trySending(signal));
    await this.#queue.onIdle();
  }

  #pending(): readonly string[] {
    return this.#journal.uuidsIn('finished', 'releasing');
  }

  /** As `#sendWhatIsDue`; a journal that cannot be read is read again a moment later. */
  #trySending(signal: AbortSignal): number | undefined {
    try {
      return this.#sendWhatIsDue(signal);
    } catch (thrown) {
      const error = asAgentError(thrown);
      const { code, hint, message } = error;
      const fields = { event: 'reports-not-read', code, hint };
      this.#log.error(fields, `pending reports not read: ${message}`);
      return RETRY.engineCall.maxMs;
    }
  }

  /** Returns after how long something is due; undefined: nothing is, until woken. */
  #sendWhatIsDue(signal: AbortSignal): number | undefined {
    const now = this.#clock.monotonic();
    const waiting = this.#pending().filter((job) => !this.#sending.has(job));
    const due = waiting.filter((job) => this.#attemptsOf(job).dueAt <= now);
    if (this.#outage === 0) {
      for (const job of due) this.#send(job, signal);
    } else {
      // Recorded now, so that the end of the outage spreads these too.
      for (const job of waiting) this.#attempts.set(job, this.#attemptsOf(job));
      if (this.#sending.size > 0 || waiting.length === 0) return undefined;
      if (now < this.#probeAgainAt) return this.#probeAgainAt - now;
      if (due.length > 0) {
        this.#send(
          due.reduce((a, b) => (this.#attemptsOf(b).count < this.#attemptsOf(a).count ? b : a)),
          signal,
        );
        return undefined;
      }
    }
    const next = earliest(waiting.map((job) => this.#attemptsOf(job).dueAt).filter((dueAt) => dueAt > now));
    return Number.isFinite(next) ? next - now : undefined;
  }

  #attemptsOf(job: string): Tries {
    return this.#attempts.get(job) ?? UNTRIED;
  }

  #send(uuid: string, signal: AbortSignal): void {
    this.#sending.add(uuid);
    void this.#queue.add(async () => {
      let isReport = false;
      try {
        const job = this.#journal.get(uuid);
        isReport = job?.state.name === 'finished';
        if (signal.aborted || job === undefined) return;
        const answer = this.#unwritten.get(uuid) ?? (await this.#answerTo(job, signal));
        this.#unwritten.set(uuid, answer);
        this.#settle(job, answer);
        this.#unwritten.delete(uuid);
        this.#attempts.delete(uuid);
      } catch (thrown) {
        if (!signal.aborted) this.#failed(uuid, asAgentError(thrown), isReport);
      } finally {
        this.#sending.delete(uuid);
        this.#wake.notify();
      }
    });
  }

  async #answerTo(job: JobRecord, signal: AbortSignal): Promise<ReportAnswer> {
    const answer = await this.#deliver(job, signal);
    this.#answers += 1;
    if (this.#outage > 0) this.retrySoon();
    return answer;
  }

  async #deliver(job: JobRecord, signal: AbortSignal): Promise<ReportAnswer> {
    const { content, refusals } = this.#attemptsOf(job.uuid);
    if (job.state.name === 'finished') {
      const report = deliverable(job.state.report, content);
      const answer = await this.#broker.report(job.uuid, job.instance, report, signal);
      if (answer.kind === 'gone') return this.#confirmGone(job, signal);
      return answer.kind === 'taken' ? this.#withCost(job, answer, report.status, signal) : answer;
    }
    // A release that is refused again and again may be of a job that the broker does not think to be ours.
    const freed = refusals < RELEASE_REFUSALS ? undefined : await this.#notHeld(job, signal);
    return freed ?? this.#broker.release(job.uuid, job.instance, signal);
  }

  /** Asks the broker for the cost that its answer lacks: the ask and the time here are only near what it books. */
  async #withCost(
    { uuid }: JobRecord,
    answer: Extract<ReportAnswer, { kind: 'taken' }>,
    status: FinalStatus,
    signal: AbortSignal,
  ): Promise<ReportAnswer> {
    if (answer.cost !== undefined || status === JOB_STATUS.FAILED) return answer;
    try {
      const booked = await this.#broker.job(uuid, signal);
      return booked?.status === status ? { kind: 'taken', cost: booked.cost } : answer;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const { code, message } = asAgentError(thrown);
      this.#log.debug(
        { event: 'cost-unknown', job: uuid, code },
        `cost not known, computed here: ${message}`,
      );
      return answer;
    }
  }

  /** A gateway may have answered one 404, so a report is dropped only where the job itself is gone. */
  async #confirmGone(job: JobRecord, signal: AbortSignal): Promise<ReportAnswer> {
    const freed = await this.#notHeld(job, signal);
    if (freed !== undefined) return freed;
    throw new AgentError(
      'BROKER_REFUSED',
      'the broker answers 404 to the report of a job that it says is ours',
    );
  }

  /** Why the job is not ours to the broker; undefined: it is. */
  async #notHeld(job: JobRecord, signal: AbortSignal): Promise<ReportAnswer | undefined> {
    const theirs = await this.#broker.job(job.uuid, signal);
    if (theirs === undefined) return { kind: 'gone' };
    const held = theirs.status === JOB_STATUS.IN_PROGRESS && theirs.instance === job.instance;
    return held ? undefined : { kind: 'not-ours' };
  }

  #settle(job: JobRecord, answer: ReportAnswer): void {
    if (answer.kind !== 'taken') {
      const why =
        answer.kind === 'gone'
          ? 'the broker does not know the job any more'
          : 'the broker says it is not ours';
      const dropped = this.#journal.transition(job.uuid, { name: 'dropped', why });
      if (job.state.name === 'finished') this.#observe({ kind: 'report-refused', job: dropped, why });
    } else if (job.state.name === 'finished') {
      const { durationMs } = job.state;
      const report = deliverable(job.state.report, this.#attemptsOf(job.uuid).content);
      const earned = answer.cost ?? earnings(report.status, job.askPrice, durationMs);
      const state = { name: 'reported', status: report.status, durationMs, earned } as const;
      const reported = this.#journal.transition(job.uuid, state);
      this.#observe({ kind: 'report-delivered', job: reported, earned });
      this.#accepted.notify(reported);
    } else if (job.state.name === 'releasing') {
      const released = this.#journal.transition(job.uuid, { name: 'released', why: job.state.why });
      this.#observe({ kind: 'job-released', job: released });
      this.#accepted.notify(released);
    }
  }

  /** Gives up a report that the broker refuses even without its result; false: the disk refuses that for now. */
  #drop(job: string, { message }: AgentError): boolean {
    const why = `the broker refuses every report of it: ${message}`;
    try {
      const dropped = this.#journal.transition(job, { name: 'dropped', why });
      this.#attempts.delete(job);
      this.#observe({ kind: 'report-refused', job: dropped, why });
      return true;
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#log.debug(
        { event: 'delivery-failed', job, code: error.code },
        `not dropped yet: ${error.message}`,
      );
      return false;
    }
  }

  #failed(job: string, error: AgentError, isReport: boolean): void {
    const before = this.#attemptsOf(job);
    const count = before.count + 1;
    const unwritten = error.code === 'STATE_DIR_UNUSABLE';
    const isContent = isReport && isContentRefusal(error.status);
    const policy = isContent && error.status !== 413 ? RETRY.reportContent : RETRY.report;
    const waitMs = waitAfter(error, unwritten ? RETRY.stateDirWrite : policy, count, this.#random);
    // What is refused for its content comes to an end by itself.
    const refusals = before.refusals + (error.code === 'BROKER_REFUSED' && !isContent ? 1 : 0);
    const content = isContent ? contentRefused(before.content, error.status) : before.content;
    if (isRefusedForGood(content) && this.#drop(job, error)) return;
    const dueAt = this.#clock.monotonic() + waitMs;
    const unauthorized = error.code === 'BROKER_UNAUTHORIZED';
    // It failed again while the broker accepted others: it is no sign of an outage, and their success none for it.
    const isAlone = !unauthorized && before.count > 0 && this.#answers > before.answers;
    const isFixed = isAlone || error.retryAfterMs !== undefined;
    this.#attempts.set(job, { count, refusals, content, dueAt, isFixed, answers: this.#answers });
    if (unauthorized || (isTransient(error) && !isAlone)) {
      this.#outage += 1;
      const probeMs = waitAfter(error, RETRY.report, this.#outage, this.#random);
      this.#probeAgainAt = this.#clock.monotonic() + probeMs;
    }
    const fields = { event: 'delivery-failed', job, code: error.code, tries: count, retryInMs: waitMs };
    // A state directory that refuses to keep the answer pauses claiming as well, which is logged at warn.
    const level = count > 1 && !unwritten ? 'warn' : 'debug';
    const what = unwritten ? 'delivered, not written to the journal yet' : 'not delivered yet, kept on disk';
    this.#log[level](fields, `${what}: ${error.message}`);
    if (unauthorized) this.#onRefused();
  }
}
