import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Exit, FoundContainer, RunningState, Runtime } from '../../domain/ports/runtime.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { retryEngine } from '../retry/retry-engine.ts';

/** How long a job has between SIGTERM and SIGKILL, and how long where its owner wants the machine now. */
const STOP_GRACE_MS = 10_000;
export const EVICTION_GRACE_MS = 3_000;

/** A start is repeated this often where its answer was lost and the container did not start. */
const START_TRIES = 3;
/** One that took so long, in milliseconds, hangs in the engine: no answer was lost, and the next would hang as well. */
const HANGING_START_MS = 10_000;

export type JobContainersDeps = {
  readonly runtime: Pick<Runtime, 'list' | 'start' | 'stop' | 'wait' | 'remove' | 'ping'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Aborted when the daemon ends: nothing is repeated after that. */
  readonly detach: AbortSignal;
  /** How long a container may stay unkillable, in milliseconds. */
  readonly unkillableAfterMs: number;
};

/** What the job runner asks of the engine about its containers, through every outage. */
export class JobContainers {
  readonly #deps: JobContainersDeps;

  constructor(deps: JobContainersDeps) {
    this.#deps = deps;
  }

  /** The job's container; undefined where there is none, or the signal aborted first. */
  find(job: string, signal: AbortSignal): Promise<FoundContainer | undefined> {
    const { runtime } = this.#deps;
    return this.#retry(async () => (await runtime.list()).find((found) => found.job === job), signal);
  }

  /**
   * Starts the container, at most once: after a failure the engine is asked whether it runs all the same. Throws
   * CONTAINER_UNSTARTABLE where the image is at fault, and other codes where the host is.
   */
  async start(job: string, container: string): Promise<void> {
    const { clock, detach, runtime } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      const began = clock.monotonic();
      try {
        return await runtime.start(container);
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (error.code === 'CONTAINER_UNSTARTABLE') throw error;
        const isHanging = clock.monotonic() - began >= HANGING_START_MS;
        const found = await this.find(job, detach);
        if (found !== undefined && found.state !== 'created') return;
        if (!isRepeatable(found, error) || isHanging || attempt >= START_TRIES) throw error;
      }
    }
  }

  /** Waits for the container's end; undefined: the signal aborted first. */
  async exit(
    container: string,
    signal: AbortSignal,
    onSeen?: (seen: RunningState) => void,
  ): Promise<Exit | 'gone' | undefined> {
    const exit = await this.#retry(() => this.#deps.runtime.wait(container, signal, onSeen), signal);
    return exit ?? (signal.aborted ? undefined : 'gone');
  }

  /** Stops the container, for as long as the signal allows. */
  async stop(container: string, signal: AbortSignal, graceMs: number = STOP_GRACE_MS): Promise<void> {
    await this.#retry(() => this.#deps.runtime.stop(container, graceMs), signal);
  }

  /** Stops the container and answers its exit; undefined: it is unkillable, or the daemon ends. */
  async end(container: string, graceMs?: number): Promise<Exit | 'gone' | undefined> {
    const { detach, unkillableAfterMs } = this.#deps;
    // Beside the first stop, which an owner waits for.
    for (let answered = this.#engineAnswers(); ; ) {
      const inTime = within(unkillableAfterMs, detach);
      await this.stop(container, inTime, graceMs);
      const exit = await this.exit(container, inTime);
      if (exit !== undefined || detach.aborted) return exit;
      // An engine that was unreachable may yet say how it ended: only one that was there knows it to be unkillable.
      const answeredBefore = await answered;
      answered = this.#engineAnswers();
      if (answeredBefore && (await answered)) return undefined;
    }
  }

  /** Settles once the container cannot run any more: it is removed, or has ended although it cannot be removed. */
  async untilOver(job: string, container: string): Promise<void> {
    const { detach, runtime } = this.#deps;
    await this.#retry(async () => {
      try {
        await runtime.remove(container);
      } catch (thrown) {
        const found = (await runtime.list()).find((one) => one.job === job);
        if (found !== undefined && found.state !== 'exited') throw thrown;
      }
    }, detach);
  }

  async #engineAnswers(): Promise<boolean> {
    const { detach, runtime } = this.#deps;
    return runtime
      .ping(detach)
      .then(() => true)
      .catch(() => false);
  }

  #retry<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    return retryEngine({ ...this.#deps, signal }, call);
  }
}

function isRepeatable(found: FoundContainer | undefined, { code }: AgentError): boolean {
  return found !== undefined && code === 'RUNTIME_UNAVAILABLE';
}
