import { type AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Run } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { RETRY } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';
import { PollRateLimit } from './poll-rate-limit.ts';

/** How long the broker is asked to hold a poll until the market changes. */
const WAIT_SECONDS = 25;

/**
 * When so many polls of a broker that does not hold them have shown no change, the next ones come less and less often,
 * down to this factor.
 */
const CALM_POLLS = 60;
const IDLE_FACTOR = 3;

/** Polls come by up to this part of the interval early: so half of all runs are seen within half of it. */
const EARLY = 0.2;

/** So many polls in a row must have failed before a refusal is taken to be about the instance. */
const DENIED_AFTER = 3;
const DENIALS: readonly ErrorCode[] = ['BROKER_REFUSED', 'BROKER_NOT_FOUND'];

/** A poll without a change that was answered later than this was held. */
const HELD_MS = 1_000;

export type RunPollerDeps = {
  readonly broker: Pick<Broker, 'runs'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly pollIntervalMs: number;
  /** Whether a job could be taken now. */
  readonly isFree: () => boolean;
  /** Whether to ask the broker to hold polls; `start --once` does not. */
  readonly hold: boolean;
  /** Called after every look at the market, changed or not, and when it got out of sight. */
  readonly onPoll: () => void;
  /** Called after each answer of the broker; `again`: after it had been away. */
  readonly onAnswer: (again: boolean) => void;
  /** Called after the broker has refused the token. */
  readonly onRefused: () => void;
  /** Called when the broker refuses polls for this instance time and again: perhaps it has none such any more. */
  readonly onDenied: () => void;
};

/**
 * Watches the market for one instance: holds the call where the broker lets us, polls where not. Backs off while
 * the broker is away; meanwhile there is no market, so nothing is claimed.
 */
export class RunPoller {
  readonly #deps: RunPollerDeps;
  readonly #pollSoon = new Notifier();
  readonly #restart = new Notifier();
  readonly #complaints: InvalidItemLog;
  #runs: readonly Run[] | undefined;
  #etag: string | undefined;
  /** The look that is under way; aborting it makes it begin again. */
  #current = new AbortController();
  #polls = 0;
  readonly #budget: PollRateLimit;
  #error: AgentError | undefined;

  constructor(deps: RunPollerDeps) {
    this.#deps = deps;
    this.#complaints = new InvalidItemLog(deps.log, 'run');
    this.#budget = new PollRateLimit(() => deps.clock.monotonic());
  }

  /** The market as last seen; undefined while the broker is away. */
  get runs(): readonly Run[] | undefined {
    return this.#runs;
  }

  /** How often the market was seen so far. */
  get polls(): number {
    return this.#polls;
  }

  /** Why the market is out of sight; undefined while it is in sight. */
  get error(): AgentError | undefined {
    return this.#error;
  }

  /** Takes a run off the list: it does not stand any more. */
  forget(runUuid: string): void {
    this.#runs = this.#runs?.filter((run) => run.uuid !== runUuid);
  }

  /** Takes the market for out of sight until it is seen again: the broker refused the token elsewhere. */
  invalidate(): void {
    this.#runs = undefined;
    this.#pollSoon.notify();
  }

  /** Looks at the market now, unless that is under way. */
  pollNow(): void {
    this.#pollSoon.notify();
  }

  /**
   * Looks at the market now, whatever is under way or waited for: a look from before the host slept would wait for
   * an answer that never comes.
   */
  restartPoll(): void {
    this.#current.abort();
    this.#restart.notify();
    this.#pollSoon.notify();
  }

  /** Watches until the signal aborts, each time for the instance that it is by then. */
  async watch(instance: () => string, signal: AbortSignal): Promise<void> {
    let failures = 0;
    let unchanged = 0;
    while (!signal.aborted) {
      const look = new AbortController();
      this.#current = look;
      try {
        const inTime = AbortSignal.any([signal, look.signal]);
        const { waitMs, changed } = await this.#poll(instance(), inTime, unchanged);
        failures = 0;
        unchanged = changed ? 0 : unchanged + 1;
        await this.#pollSoon.wait(signal, waitMs);
      } catch (thrown) {
        if (signal.aborted) return;
        if (look.signal.aborted) continue;
        failures += 1;
        await this.#failed(asAgentError(thrown), failures, signal);
      }
    }
  }

  async #poll(
    instance: string,
    signal: AbortSignal,
    unchanged: number,
  ): Promise<{ readonly waitMs: number; readonly changed: boolean }> {
    const began = this.#deps.clock.monotonic();
    const answer = await this.#deps.broker.runs({
      instance,
      etag: this.#runs === undefined ? undefined : this.#etag,
      waitSeconds: this.#deps.hold ? WAIT_SECONDS : 0,
      signal,
    });
    if (!answer.unchanged) {
      this.#runs = answer.runs;
      this.#complaints.log(answer.invalid);
    }
    // What came without a tag has none: asked for by an older one, it might never be sent again.
    this.#etag = answer.unchanged ? (answer.etag ?? this.#etag) : answer.etag;
    if (this.#error !== undefined) this.#deps.log.info({}, 'the broker answers again');
    this.#deps.onAnswer(this.#error !== undefined);
    this.#error = undefined;
    this.#polls += 1;
    this.#deps.onPoll();
    const changed = !answer.unchanged;
    const tookMs = this.#deps.clock.monotonic() - began;
    if (answer.waited && answer.retryAfterMs === undefined) {
      const slots = this.#deps.isFree() ? 'free' : 'filled';
      if (changed) return { waitMs: this.#budget.spend(answer.runs.length, slots), changed };
      // An answer at once is no waiting, whatever the header says: believing it would be a hot loop.
      if (tookMs > HELD_MS) return { waitMs: 0, changed };
    }
    const factor = Math.min(1 + Math.max(unchanged - CALM_POLLS, 0) / 4, IDLE_FACTOR);
    const jitter = 1 - EARLY * this.#deps.random();
    return {
      waitMs: Math.max(this.#deps.pollIntervalMs * factor * jitter, answer.retryAfterMs ?? 0),
      changed,
    };
  }

  async #failed(error: AgentError, failures: number, signal: AbortSignal): Promise<void> {
    const waitMs = waitAfter(
      error,
      this.#deps.hold ? RETRY.pollRuns : RETRY.pollRunsOnce,
      failures,
      this.#deps.random,
    );
    // A single miss is weather; it is told at info only when it lasts or when it needs a person.
    const level = failures > 1 || error.code === 'BROKER_UNAUTHORIZED' ? 'warn' : 'debug';
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    this.#deps.log[level](
      { code: error.code, retryInMs: waitMs, ...hint },
      `market out of sight: ${error.message}`,
    );
    this.#runs = undefined;
    this.#error = error;
    this.#deps.onPoll();
    if (error.code === 'BROKER_UNAUTHORIZED') this.#deps.onRefused();
    if (failures >= DENIED_AFTER && DENIALS.includes(error.code)) this.#deps.onDenied();
    await this.#restart.wait(signal, waitMs);
  }
}
