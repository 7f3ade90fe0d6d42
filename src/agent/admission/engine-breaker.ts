import {
  afterFailure,
  afterKill,
  afterSuccess,
  afterTest,
  claimRoom,
  type EngineBreaker as State,
  UNTESTED,
} from '../../domain/engine-breaker.ts';
import { AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { aborted } from '../../lib/deadline.ts';
import { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';

/** A job that has run for so long lets others start beside it. */
const STARTED_WELL_MS = 1_000;
/** A job that has run for so long has gone well: longer than output that cannot be read is tried again after the end. */
const RAN_WELL_MS = 45_000;
const TOGETHER_MS = 10_000;
/** A job whose container does not run after so long has failed: the engine hangs. */
const START_TIMEOUT_MS = 180_000;

/** Failures of a job that say nothing about whether the engine can run others. */
const OTHER_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'GPU_INJECTION_FAILED',
  'IMAGE_NOT_FOUND',
  'IMAGE_PULL_FAILED',
  'IMAGE_REFUSED',
  'STATE_DIR_UNUSABLE',
]);

export type EngineBreakerDeps = {
  /** Runs a test container; answers whether there was one to run. Throws why no job could have run so. */
  readonly test: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: () => number;
  readonly observe: Observer;
  /** Notified when more jobs may be claimed. */
  readonly roomMade: Notifier;
};

/** How a job has gone, as far as it says something about the engine. */
export type JobOutcome =
  | { readonly kind: 'well' | 'unknown' }
  /** It was killed, by another program or by itself. */
  | { readonly kind: 'killed'; readonly why: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode | undefined; readonly why: string };

/** A claim that has not shown yet how its job goes. */
export type ClaimPermit = {
  /** The broker has given the job to this host. */
  won(): void;
  /** The job's container runs. */
  started(): void;
  /** The job, or the claim, is over. */
  ended(outcome: JobOutcome): void;
};

type Claim = {
  readonly run: string;
  /** How often the breaker had opened before. */
  readonly epoch: number;
  startedAt: number;
  startedWell: boolean;
  isOver: boolean;
};

const NOT_STARTED = { startedAt: Number.POSITIVE_INFINITY, startedWell: false, isOver: false } as const;

/**
 * Stops claims when the engine cannot run jobs although it answers: before the first test container has passed, and after
 * a few jobs in a row that failed through this host. Test containers let claims go on, one job first.
 */
export class EngineBreaker {
  /** Notified with why nothing may be claimed, and with nothing once it may. */
  readonly changed = new Notifier<AgentError | undefined>();
  readonly #deps: EngineBreakerDeps;
  readonly #opened = new Notifier();
  readonly #testNow = new Notifier();
  readonly #passed = Promise.withResolvers<void>();
  #state: State = UNTESTED;
  #problem: AgentError | undefined;
  #problemSince = 0;
  #testing = false;
  /** Claims while no job had gone well, whose jobs have not shown yet how they go. */
  readonly #pending = new Set<Claim>();
  #epoch = 0;
  #lastLateFailure = Number.NEGATIVE_INFINITY;

  constructor(deps: EngineBreakerDeps) {
    this.#deps = deps;
  }

  /** Whether nothing may be claimed before the next test container has passed. */
  get isOpen(): boolean {
    return this.#state.state === 'untested' || this.#state.state === 'open';
  }

  /** Why nothing may be claimed; undefined also while the first test container has not ended. */
  get problem(): AgentError | undefined {
    return this.#problem;
  }

  /** For how long there has been a problem, in milliseconds; 0: there is none. */
  get problemForMs(): number {
    return this.#problem === undefined ? 0 : this.#deps.clock.monotonic() - this.#problemSince;
  }

  /** Whether a test container runs now. */
  get busy(): boolean {
    return this.#testing;
  }

  /** How many more jobs may be claimed now. */
  get room(): number {
    const started = [...this.#pending].filter(({ startedWell }) => startedWell).length;
    return claimRoom(this.#state, { claimed: this.#pending.size, started });
  }

  /** Settles once the first test container has passed, or the signal aborts. */
  async passed(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#passed.promise, aborted(signal)]);
  }

  /** A claim of a job of this run; undefined where there is no room. The signal ends the observation of the job. */
  take(run: string, signal: AbortSignal): ClaimPermit | undefined {
    if (this.room < 1) return undefined;
    const claim: Claim = { run, epoch: this.#epoch, ...NOT_STARTED };
    if (!this.#state.confirmed) this.#pending.add(claim);
    return {
      won: () => void this.#watchStart(claim, signal),
      started: () => {
        claim.startedAt = this.#deps.clock.monotonic();
        void this.#watch(claim, signal);
      },
      ended: (outcome) => this.#end(claim, outcome),
    };
  }

  /** The engine was unreachable and answers again: a test container is not waited for any longer. */
  testSoon(): void {
    this.#testNow.notify();
  }

  /** Runs a test container, and further ones whenever it is open, until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.isOpen) await this.#untilPassed(signal);
      else await this.#opened.wait(signal);
    }
  }

  async #untilPassed(signal: AbortSignal): Promise<void> {
    const { observe, random } = this.#deps;
    await sleep(this.#reopenedWaitMs(), AbortSignal.any([signal, this.#testNow.next]));
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const result = await this.#test(signal);
      if (signal.aborted) return;
      if (!(result instanceof AgentError)) {
        if (result) observe({ kind: 'test-container-passed' });
        this.#state = afterTest(this.#state);
        this.#setProblem(undefined);
        this.#passed.resolve();
        return this.#deps.roomMade.notify();
      }
      const retryInMs = backoffMs(RETRY.testContainer, attempt, random);
      observe({ kind: 'test-container-failed', error: result, retryInMs });
      this.#setProblem(result);
      await sleep(retryInMs, AbortSignal.any([signal, this.#testNow.next]));
    }
  }

  async #test(signal: AbortSignal): Promise<boolean | AgentError> {
    this.#testing = true;
    try {
      return await this.#deps.test(signal);
    } catch (thrown) {
      return asAgentError(thrown);
    } finally {
      this.#testing = false;
    }
  }

  /** Test containers that pass although jobs fail show little, so they come ever later. */
  #reopenedWaitMs(): number {
    const again = this.#state.openings.length - 1;
    return again < 1 ? 0 : backoffMs(RETRY.reopenedBreaker, again);
  }

  async #watch(claim: Claim, signal: AbortSignal): Promise<void> {
    if (!this.#pending.has(claim)) return;
    if (!(await sleep(STARTED_WELL_MS, signal)) || claim.isOver) return;
    claim.startedWell = true;
    this.#deps.roomMade.notify();
    if (!(await sleep(RAN_WELL_MS - STARTED_WELL_MS, signal)) || claim.isOver) return;
    this.#record(claim, { kind: 'well' });
  }

  /** The job itself stays as it is: it may start yet. */
  async #watchStart(claim: Claim, signal: AbortSignal): Promise<void> {
    if (!(await sleep(START_TIMEOUT_MS, signal)) || Number.isFinite(claim.startedAt)) return;
    this.#end(claim, { kind: 'failed', code: undefined, why: 'a job was not started within 3 minutes' });
  }

  #end(claim: Claim, outcome: JobOutcome): void {
    if (claim.isOver) return;
    claim.isOver = true;
    this.#record(claim, outcome);
  }

  #record(claim: Claim, outcome: JobOutcome): void {
    const wasConfirmed = this.#state.confirmed;
    this.#pending.delete(claim);
    // What was claimed before it opened says nothing about the engine as it is now.
    if (claim.epoch === this.#epoch) {
      if (outcome.kind === 'well') this.#state = afterSuccess(this.#state);
      if (outcome.kind === 'failed' && this.#counts(claim, outcome.code))
        this.#take(afterFailure(this.#state, claim.run, this.#now()), outcome.why);
      if (outcome.kind === 'killed') this.#take(afterKill(this.#state, claim.run, this.#now()), outcome.why);
    }
    if (!wasConfirmed) this.#deps.roomMade.notify();
  }

  /** Jobs that had run for long and fail together have one cause, such as a restart of the engine. */
  #counts({ startedAt }: Claim, code: ErrorCode | undefined): boolean {
    if (code !== undefined && OTHER_FAULTS.has(code)) return false;
    const now = this.#deps.clock.monotonic();
    if (now - startedAt < RAN_WELL_MS) return true;
    const isAnother = now - this.#lastLateFailure > TOGETHER_MS;
    this.#lastLateFailure = now;
    return isAnother;
  }

  #now(): number {
    return this.#deps.clock.monotonic();
  }

  /** Takes over a state that is open because of `why`, if it is. */
  #take(state: State, why: string): void {
    this.#state = state;
    if (!this.isOpen) return;
    this.#epoch += 1;
    this.#pending.clear();
    const retryInMs = this.#reopenedWaitMs();
    const error = new AgentError('RUNTIME_FAILED', `jobs cannot be run on this host: ${why}`, {
      hint: 'see the last jobs (sharedcloud-agent jobs) and Docker’s log (journalctl -u docker), and restart Docker',
    });
    this.#deps.observe({ kind: 'engine-breaker-opened', error, retryInMs });
    // A test container that runs at once will say more.
    if (retryInMs > 0) this.#setProblem(error);
    this.#opened.notify();
  }

  #setProblem(problem: AgentError | undefined): void {
    if (this.#problem === undefined) this.#problemSince = this.#deps.clock.monotonic();
    const isChange = (this.#problem === undefined) !== (problem === undefined);
    this.#problem = problem;
    if (isChange) this.changed.notify(problem);
  }
}
