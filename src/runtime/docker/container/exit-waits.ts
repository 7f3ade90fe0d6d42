import type Docker from 'dockerode';
import type { RunningState } from '../../../domain/ports/runtime.ts';
import { unlessAborted } from '../../../lib/deadline.ts';
import type { EngineDeadlines } from '../engine/call.ts';
import type { ContainerState } from './state.ts';
import { type ObservedExit, waitForExit } from './wait.ts';

/** Waits for the exits of containers, without asking the engine twice for what one call has answered. */
export class ExitWaits {
  readonly #docker: Docker;
  readonly #deadlines: EngineDeadlines;
  readonly #now: () => number;
  /** What was seen of a container at its start. */
  readonly #first = new Map<string, Promise<ContainerState | undefined>>();
  readonly #ongoing = new Map<string, Promise<ObservedExit>>();

  constructor(docker: Docker, deadlines: EngineDeadlines, now: () => number) {
    this.#docker = docker;
    this.#deadlines = deadlines;
    this.#now = now;
  }

  /** The container has just been started; `seen` is its state after that, undefined where nobody has seen it. */
  started(id: string, seen: Promise<ContainerState | undefined>): void {
    this.#first.set(id, seen);
  }

  /** As `waitForExit`. */
  async wait(id: string, signal: AbortSignal, onSeen?: (seen: RunningState) => void): Promise<ObservedExit> {
    const wait = this.#wait(id, signal, onSeen);
    this.#ongoing.set(id, wait);
    try {
      return await wait;
    } catch (thrown) {
      if (this.#ongoing.get(id) === wait) this.#ongoing.delete(id);
      throw thrown;
    }
  }

  /**
   * The exit that another caller waits for, or has waited for, and has observed; else as `wait`. One that fell between
   * two of its calls says nothing of the engine now.
   */
  async join(id: string, signal: AbortSignal): Promise<ObservedExit> {
    const other = this.#ongoing.get(id);
    const known =
      other &&
      (await unlessAborted(
        other.catch(() => undefined),
        signal,
      ));
    if (known?.engineWasUnreachable === false) return known;
    // Long after the start, what was seen there says nothing.
    this.#first.delete(id);
    return this.#wait(id, signal);
  }

  forget(id: string): void {
    this.#first.delete(id);
    this.#ongoing.delete(id);
  }

  async #wait(id: string, signal: AbortSignal, onSeen?: (seen: RunningState) => void): Promise<ObservedExit> {
    const seen = this.#first.get(id);
    this.#first.delete(id);
    const state = seen && (await unlessAborted(seen, signal));
    const first = state?.name === 'created' ? undefined : state;
    return waitForExit(this.#docker, id, this.#deadlines, this.#now, signal, onSeen, first);
  }
}
