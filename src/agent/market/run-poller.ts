import { type AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { Broker, MarketAnswer } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Run } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { RETRY } from '../retry/policies.ts';
import { restAfter } from '../retry/rest-after.ts';
import { waitAfter } from '../retry/retry.ts';
import { PollRateLimit } from './poll-rate-limit.ts';

/** How long the broker is asked to hold a poll until the market changes. */
const WAIT_SECONDS = 25;

/**
 * After so many polls without a change, a broker that does not hold polls is polled less and less often, down to this
 * factor.
 */
const QUIET_POLLS = 60;
const IDLE_FACTOR = 3;

/** Polls come early by up to this part of the interval, so that half of all runs are seen within half of it. */
const EARLY = 0.2;

/** After so many failures in a row, a refusal is taken to be about the instance. */
const INSTANCE_REFUSED_AFTER = 3;
const INSTANCE_REFUSALS: readonly ErrorCode[] = ['BROKER_REFUSED', 'BROKER_NOT_FOUND'];

/** A poll without a change that took longer than this was held. */
const HELD_MS = 1_000;

export type RunPollerDeps = {
  readonly broker: Pick<Broker, 'runs'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: Observer;
  readonly random: () => number;
  readonly pollIntervalMs: number;
  /** Whether a job could be taken now. */
  readonly isFree: () => boolean;
  /** Whether to ask the broker to hold polls; `start --once` does not. */
  readonly hold: boolean;
  /** Called after every poll, whether it showed a change or failed. */
  readonly onPoll: () => void;
  /** Called after each answer of the broker; `again`: after it had been unreachable. */
  readonly onAnswer: (again: boolean) => void;
  /** Called after the broker has refused the token. */
  readonly onRefused: () => void;
  /** Called when the broker goes on refusing polls for this instance, which it may not know any more. */
  readonly onInstanceRefused: () => void;
};

/**
 * Polls the open runs for one instance, with held calls where the broker supports that. Backs off while polls fail;
 * meanwhile there are no runs, so nothing is claimed.
 */
export class RunPoller {
  readonly #deps: RunPollerDeps;
  readonly #pollSoon = new Notifier();
  readonly #restart = new Notifier();
  readonly #invalidItems: InvalidItemLog;
  #runs: readonly Run[] | undefined;
  #etag: string | undefined;
  /** Of the poll that is under way; aborting it starts a new one. */
  #current = new AbortController();
  #polls = 0;
  #answeredAt: number | undefined;
  readonly #rateLimit: PollRateLimit;
  #error: AgentError | undefined;
  /** Whether the last list was read in part. */
  #isCut = false;

  constructor(deps: RunPollerDeps) {
    this.#deps = deps;
    this.#invalidItems = new InvalidItemLog(deps.log, 'run');
    this.#rateLimit = new PollRateLimit(() => deps.clock.monotonic());
  }

  /** The runs of the last poll; undefined while polls fail. */
  get runs(): readonly Run[] | undefined {
    return this.#runs;
  }

  /** How many polls have succeeded. */
  get polls(): number {
    return this.#polls;
  }

  /** When the broker last answered, by the wall clock in milliseconds; undefined: not yet. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /** Why the last poll failed; undefined: it did not. */
  get error(): AgentError | undefined {
    return this.#error;
  }

  /** Removes a run that the broker does not know any more. */
  forget(runUuid: string): void {
    this.#runs = this.#runs?.filter((run) => run.uuid !== runUuid);
  }

  /** Drops the runs until the next poll: the broker refused the token elsewhere. */
  invalidate(): void {
    this.#runs = undefined;
    this.#pollSoon.notify();
  }

  /** Polls now, unless a poll is running. */
  pollNow(): void {
    this.#pollSoon.notify();
  }

  /** Polls now, and aborts a running poll: a call from before the host slept would wait for an answer that never comes. */
  restartPoll(): void {
    this.#current.abort();
    this.#restart.notify();
    this.#pollSoon.notify();
  }

  /** Polls until the signal aborts; `instance` returns the instance to poll for. */
  async work(instance: () => string, signal: AbortSignal): Promise<void> {
    let failures = 0;
    let unchanged = 0;
    while (!signal.aborted) {
      const poll = new AbortController();
      this.#current = poll;
      try {
        const inTime = AbortSignal.any([signal, poll.signal]);
        const { waitMs, changed } = await this.#poll(instance(), inTime, unchanged);
        failures = 0;
        unchanged = changed ? 0 : unchanged + 1;
        await this.#pollSoon.wait(signal, waitMs);
      } catch (thrown) {
        if (signal.aborted) return;
        if (poll.signal.aborted) continue;
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
      this.#invalidItems.log(answer);
      this.#logCut(answer);
    }
    // An answer without a tag has none: with an older one, it might never be sent again.
    this.#etag = answer.unchanged ? (answer.etag ?? this.#etag) : answer.etag;
    if (this.#error !== undefined) this.#deps.observe({ kind: 'broker-reachable' });
    this.#deps.onAnswer(this.#error !== undefined);
    this.#error = undefined;
    this.#polls += 1;
    this.#answeredAt = this.#deps.clock.now();
    this.#deps.onPoll();
    const changed = !answer.unchanged;
    const tookMs = this.#deps.clock.monotonic() - began;
    const restMs = restAfter(answer.busyMs);
    if (answer.waited && answer.retryAfterMs === undefined) {
      const slots = this.#deps.isFree() ? 'free' : 'filled';
      if (changed)
        return { waitMs: Math.max(this.#rateLimit.spend(answer.runs.length, slots), restMs), changed };
      // An immediate answer was not held, whatever the header says: polling again at once would be a hot loop.
      if (tookMs > HELD_MS) return { waitMs: 0, changed };
    }
    const factor = Math.min(1 + Math.max(unchanged - QUIET_POLLS, 0) / 4, IDLE_FACTOR);
    const jitter = 1 - EARLY * this.#deps.random();
    return {
      waitMs: Math.max(this.#deps.pollIntervalMs * factor * jitter, answer.retryAfterMs ?? 0, restMs),
      changed,
    };
  }

  /** Once for as long as it lasts. */
  #logCut({ isCut, runs }: MarketAnswer): void {
    if (isCut && !this.#isCut)
      this.#deps.log.warn(
        { event: 'market-cut', runs: runs.length },
        'the market is larger than what is read of it, some runs are left out',
      );
    this.#isCut = isCut;
  }

  async #failed(error: AgentError, failures: number, signal: AbortSignal): Promise<void> {
    const waitMs = waitAfter(
      error,
      this.#deps.hold ? RETRY.pollRuns : RETRY.pollRunsOnce,
      failures,
      this.#deps.random,
    );
    this.#deps.observe({ kind: 'polling-failed', error, failures, retryInMs: waitMs });
    this.#runs = undefined;
    this.#error = error;
    this.#deps.onPoll();
    if (error.code === 'BROKER_UNAUTHORIZED') this.#deps.onRefused();
    if (failures >= INSTANCE_REFUSED_AFTER && INSTANCE_REFUSALS.includes(error.code))
      this.#deps.onInstanceRefused();
    await this.#restart.wait(signal, waitMs);
  }
}
