import PQueue from 'p-queue';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { earnings, JOB_STATUS, type JobRecord, type Report } from '../../domain/job.ts';
import type { Broker, ReportAnswer } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { earliest } from '../../lib/earliest.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { isTransient, waitAfter } from '../retry/retry.ts';

/** So many reports are under way at once while the broker answers; one at a time while it does not. */
const AT_ONCE = 4;

/** What came of a delivery so far. `dueAt` is monotonic. */
type Tries = {
  readonly count: number;
  /** How often the broker itself said no (a 4xx) rather than nothing. */
  readonly refusals: number;
  /** Whether the broker said that the report itself will not do. */
  readonly tooMuch: boolean;
  readonly dueAt: number;
  /** Whether it waits until then whatever happens to others: it failed by itself, or the broker named the time. */
  readonly firm: boolean;
  /** How many deliveries the broker had answered when it failed. */
  readonly answers: number;
};

const UNTRIED: Tries = { count: 0, refusals: 0, tooMuch: false, dueAt: 0, firm: false, answers: 0 };

/** After so many refusals of a release the broker is asked whether it thinks that we hold the job at all. */
const RELEASE_REFUSALS = 2;

/** After so many refusals there is little hope that the broker ever takes it. */
const EXHAUSTED_REFUSALS = 4;

/** With these a broker denies what a report says; with others, such as a 404, its length is not the matter. */
const DENIES_CONTENT: readonly (number | undefined)[] = [400, 413, 422];

/** What waited through an outage is sent spread over this time. */
const SPREAD_MS = 2_000;

/** What is left of an output that the broker refuses whole, in characters. */
const SHORT_OUTPUT = 16_384;

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
 * Gives the broker what it is owed, reports and releases, until it has taken them or says that they are not ours.
 * What is owed lies in the journal, so nothing is lost with this object. While the broker is away one delivery at
 * a time feels for it, each time another, so that one that always fails cannot hold up the rest.
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
  readonly #queue = new PQueue({ concurrency: AT_ONCE });
  readonly #attempts = new Map<string, Tries>();
  readonly #sending = new Set<string>();
  /** What the broker has said and the disk has not let be written down yet. */
  readonly #unwritten = new Map<string, ReportAnswer>();
  /** Failures in a row, of whatever delivery; 0 while the broker answers. */
  #outage = 0;
  #probeAgainAt = 0;
  /** How many deliveries the broker has answered with a final word. */
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

  /** Whether the broker is owed nothing. */
  get drained(): boolean {
    return this.#pending().length === 0;
  }

  /** Whether all that is left was refused by the broker itself, again and again. */
  get exhausted(): boolean {
    const owed = this.#pending();
    return owed.length > 0 && owed.every((job) => this.#attemptsOf(job).refusals >= EXHAUSTED_REFUSALS);
  }

  /** Looks at the journal again: something new is owed. */
  wake(): void {
    this.#wake.notify();
  }

  /**
   * The broker has answered something: what fails now fails by itself. Where it is back after an outage, what waits
   * for its turn is sent soon, not all at once.
   */
  brokerAnswered(again: boolean): void {
    if (again) {
      this.retrySoon();
    } else if (this.#outage > 0) {
      this.#outage = 0;
      this.#wake.notify();
    }
  }

  /** Tries again soon what waits for its turn, unless it failed by itself: what kept it back may be over. */
  retrySoon(): void {
    this.#outage = 0;
    const soon = (): number => this.#clock.monotonic() + this.#random() * SPREAD_MS;
    for (const [job, tries] of this.#attempts) {
      if (!tries.firm) this.#attempts.set(job, { ...tries, dueAt: soon() });
    }
    this.#wake.notify();
  }

  /** Delivers until the signal aborts; a delivery under way is then given up, the journal still has it. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#wake.wait(signal, this.#trySending(signal));
    await this.#queue.onIdle();
  }

  #pending(): readonly string[] {
    return this.#journal.uuidsIn('finished', 'releasing');
  }

  /** As `#sendWhatIsDue`; a journal that cannot be read for a moment is read again a moment later. */
  #trySending(signal: AbortSignal): number | undefined {
    try {
      return this.#sendWhatIsDue(signal);
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#log.error({ code: error.code, hint: error.hint }, `reports wait: ${error.message}`);
      return RETRY.engineCall.maxMs;
    }
  }

  /** Answers after how long to look again; undefined: when woken. */
  #sendWhatIsDue(signal: AbortSignal): number | undefined {
    const now = this.#clock.monotonic();
    const waiting = this.#pending().filter((job) => !this.#sending.has(job));
    const due = waiting.filter((job) => this.#attemptsOf(job).dueAt <= now);
    if (this.#outage === 0) {
      for (const job of due) this.#send(job, signal);
    } else {
      // All of them, so that at the end of the outage all of them are spread.
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
      try {
        const job = this.#journal.get(uuid);
        if (signal.aborted || job === undefined) return;
        const answer = this.#unwritten.get(uuid) ?? (await this.#answerTo(job, signal));
        this.#unwritten.set(uuid, answer);
        this.#settle(job, answer);
        this.#unwritten.delete(uuid);
        this.#attempts.delete(uuid);
      } catch (thrown) {
        if (!signal.aborted) this.#failed(uuid, thrown);
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
    const { refusals, tooMuch } = this.#attemptsOf(job.uuid);
    if (job.state.name === 'finished') {
      const report = tooMuch ? shortened(job.state.report) : job.state.report;
      const answer = await this.#broker.report(job.uuid, job.instance, report, signal);
      return answer.kind === 'gone' ? this.#confirmGone(job, signal) : answer;
    }
    // A release that is refused time and again is none to make where the broker does not think that we hold the job.
    const freed = refusals < RELEASE_REFUSALS ? undefined : await this.#notHeld(job, signal);
    return freed ?? this.#broker.release(job.uuid, job.instance, signal);
  }

  /** Work that was done is not thrown away for one 404: a gateway may have said it. The job itself must be gone. */
  async #confirmGone(job: JobRecord, signal: AbortSignal): Promise<ReportAnswer> {
    const freed = await this.#notHeld(job, signal);
    if (freed !== undefined) return freed;
    throw new AgentError('BROKER_REFUSED', 'the broker says 404 to the report of a job that it says we hold');
  }

  /** In which way the broker does not think that we hold the job; undefined: it does. */
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
      const { durationMs, report } = job.state;
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

  #failed(job: string, thrown: unknown): void {
    const error = asAgentError(thrown);
    const before = this.#attemptsOf(job);
    const count = before.count + 1;
    const unwritten = error.code === 'STATE_DIR_UNUSABLE';
    const waitMs = waitAfter(error, unwritten ? RETRY.stateDirWrite : RETRY.report, count, this.#random);
    const refusals = before.refusals + (error.code === 'BROKER_REFUSED' ? 1 : 0);
    const tooMuch = before.tooMuch || DENIES_CONTENT.includes(error.status);
    const dueAt = this.#clock.monotonic() + waitMs;
    const unauthorized = error.code === 'BROKER_UNAUTHORIZED';
    // It failed again while the broker took others: that says nothing about them, and their success nothing about it.
    const byItself = !unauthorized && before.count > 0 && this.#answers > before.answers;
    const firm = byItself || error.retryAfterMs !== undefined;
    this.#attempts.set(job, { count, refusals, tooMuch, dueAt, firm, answers: this.#answers });
    if (unauthorized || (isTransient(error) && !byItself)) {
      this.#outage += 1;
      const feelMs = waitAfter(error, RETRY.report, this.#outage, this.#random);
      this.#probeAgainAt = this.#clock.monotonic() + feelMs;
    }
    const fields = { job, code: error.code, tries: count, retryInMs: waitMs };
    // What keeps a taken report from being written down keeps claims too, and is told there.
    const level = count > 1 && !unwritten ? 'warn' : 'debug';
    const what = unwritten ? 'delivered, not written down yet' : 'not delivered yet, kept on disk';
    this.#log[level](fields, `${what}: ${error.message}`);
    if (unauthorized) this.#onRefused();
  }
}

/**
 * The report of which the broker may take what it does not take whole: the ends of the outputs say most. A result is
 * sent as it is, unless it has what databases have no place for.
 */
function shortened(report: Report): Report {
  const end = (text: string): string =>
    text.length <= SHORT_OUTPUT
      ? text
      : `[sharedcloud-agent] only the end, the broker refused the whole\n${text.slice(-SHORT_OUTPUT)}`;
  const result = report.result.replaceAll('\0', '\uFFFD');
  return { ...report, stdout: end(report.stdout), stderr: end(report.stderr), result };
}
