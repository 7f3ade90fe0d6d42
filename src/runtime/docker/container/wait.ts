import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import type { RunningState } from '../../../domain/ports/runtime.ts';
import { sleep } from '../../../lib/sleep.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { type ContainerState, type EngineExit, inspectState } from './state.ts';

/**
 * How long one call to the engine's wait may last before the container is inspected again, in milliseconds: a container
 * that somebody pauses or restarts is noticed so late.
 */
const WAIT_MS = 2_000;
/** The engine may take so many times as long to begin to wait as it took to answer. */
const SLOW_FACTOR = 3;
/** The pause before the next inspect when the engine cannot wait: it is unreachable, or the container is not running. */
const PAUSE_MS = 500;

/** An exit and how much of it was observed. */
export type ObservedExit = {
  readonly exit: EngineExit;
  /** Whether the container may have exited while the engine was unreachable. */
  readonly engineWasUnreachable: boolean;
  /** Whether the container had exited before the first inspect, so that its earlier life is unknown. */
  readonly alreadyExited: boolean;
  /** Whether the container was started again meanwhile. */
  readonly restarted: boolean;
  /** Whether it was seen paused. */
  readonly wasPaused: boolean;
};

/**
 * Waits for a container's exit, through broken connections and restarts of the engine. The engine's wait only shortens
 * the pause between inspects. `now` is the wall clock, assumed equal to the engine's; `first` is what somebody has just
 * seen of the container, and spares the first inspect. Throws CONTAINER_GONE, or the signal's reason.
 */
export async function waitForExit(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  now: () => number,
  signal: AbortSignal,
  onSeen: (seen: RunningState) => void = () => undefined,
  first?: ContainerState,
): Promise<ObservedExit> {
  // An answered wait means that the engine saw the exit. Any other exit may have happened while the engine was unreachable,
  // up to the next inspect: just after its restart, the engine shows such a container as running.
  let isObserved = true;
  let isFirst = true;
  let unobservedUntil = Number.NEGATIVE_INFINITY;
  let firstStart: number | undefined;
  let restarted = false;
  let wasPaused = false;
  for (; ; isFirst = false) {
    const known = isFirst ? first : undefined;
    const asked = performance.now();
    const state = known ?? (await inspectIfReachable(docker, id, deadlines, signal));
    const waitMs = WAIT_MS + SLOW_FACTOR * (performance.now() - asked);
    if (!isObserved && state !== undefined) unobservedUntil = now();
    if (state?.exit !== undefined) {
      const engineWasUnreachable = state.exit.finishedAt <= unobservedUntil;
      restarted ||= isAnotherStart(firstStart, state.exit.startedAt);
      return { exit: state.exit, engineWasUnreachable, alreadyExited: isFirst, restarted, wasPaused };
    }
    if (state?.name === 'running') {
      firstStart ??= state.startedAt;
      restarted ||= isAnotherStart(firstStart, state.startedAt);
      wasPaused ||= state.paused;
      onSeen(restarted ? 'restarted' : state.paused ? 'paused' : 'running');
    }
    // The engine answers a wait for a container in removal at once, and removal can take long.
    if (state?.name !== 'running' || (isObserved && !isFirst)) await sleep(PAUSE_MS, signal);
    isObserved = state?.name === 'running' && (await waitOnce(docker, id, waitMs, signal));
    signal.throwIfAborted();
  }
}

function isAnotherStart(first: number | undefined, now: number | undefined): boolean {
  return first !== undefined && now !== undefined && now !== first;
}

/** The container's state, or undefined while the engine is unreachable or fails. */
async function inspectIfReachable(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  try {
    return await inspectState(docker, id, deadlines.inspectMs, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asAgentError(thrown);
    if (error.code === 'RUNTIME_UNAVAILABLE' || error.code === 'RUNTIME_FAILED') return undefined;
    throw error;
  }
}

/** Calls the engine's wait. Returns true once the container has exited, false after `ms` or a failure and a pause. */
async function waitOnce(docker: Docker, id: string, ms: number, signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  try {
    const call = { action: `wait for container ${id}`, ms, signal };
    await callEngine(call, (abortSignal) => engineWait(docker, id, abortSignal));
    return true;
  } catch {
    signal.throwIfAborted();
    // A timeout is the usual case. After a failure, the next inspect shows the state.
    if (performance.now() - startedAt < ms) await sleep(PAUSE_MS, signal);
    return false;
  }
}

const WAIT_STATUSES = {
  200: true,
  400: 'bad parameter',
  404: 'no such container',
  500: 'server error',
} as const;

/**
 * Resolves when the engine answers its wait. Dials directly, because dockerode's own `wait` never settles if the
 * connection breaks after the response headers, which the engine sends at once.
 */
async function engineWait(docker: Docker, id: string, abortSignal: AbortSignal): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<unknown>();
  docker.modem.dial(
    {
      path: `/containers/${id}/wait?`,
      method: 'POST',
      options: { condition: 'not-running' },
      isStream: true,
      statusCodes: WAIT_STATUSES,
      abortSignal,
    },
    (error: unknown, answer: unknown) => {
      if (error === null || error === undefined) resolve(answer);
      else reject(error);
    },
  );
  const answer = await promise;
  if (!(answer instanceof Readable)) throw new AgentError('INTERNAL', 'the wait response is not a stream');
  await finished(answer.resume());
}
