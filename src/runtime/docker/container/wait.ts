import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { sleep } from '../../../lib/sleep.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { type ContainerState, type EngineExit, inspectState } from './state.ts';

/** How long one call to the engine's wait is held before the container is looked at again, in milliseconds. */
const HOLD_MS = 10_000;
/** The pause after a look that could not wait: the engine is away, or the container has not been started. */
const PAUSE_MS = 500;

/** An end, and how much of it was seen. */
export type SeenEnd = {
  readonly exit: EngineExit;
  /** Whether it came, or may have come, while the engine was away and did not see it. */
  readonly engineWasAway: boolean;
  /** Whether the first look showed it already: of what came before nothing is known. */
  readonly unwaited: boolean;
};

/**
 * Waits for a container's end, through any number of broken connections and restarts of the engine. Throws
 * CONTAINER_GONE where it is no more, and the signal's reason when that is aborted.
 *
 * `now` is the wall clock, which is the engine's too where both are on one machine. The truth is what inspect says; the engine's own wait only makes the next look come at once.
 */
export async function waitForExit(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  now: () => number,
  signal: AbortSignal,
): Promise<SeenEnd> {
  // A wait that is answered proves that the engine saw the end. What ended before the look that follows any other may
  // have done so while the engine was away: when it is back, it shows such a container as running for a moment more.
  let isSeen = true;
  let isFirst = true;
  let unseenUntil = Number.NEGATIVE_INFINITY;
  for (; ; isFirst = false) {
    const state = await lookOrUndefined(docker, id, deadlines, signal);
    if (!isSeen && state !== undefined) unseenUntil = now();
    if (state?.exit !== undefined) {
      const engineWasAway = state.exit.finishedAt <= unseenUntil;
      return { exit: state.exit, engineWasAway, unwaited: isFirst };
    }
    // The engine's wait is over at once for one that is being removed, which may take long.
    if (state?.name !== 'running' || (isSeen && !isFirst)) await sleep(PAUSE_MS, signal);
    isSeen = state?.name === 'running' && (await answeredInTime(docker, id, signal));
    signal.throwIfAborted();
  }
}

/** The container's state, or undefined while the engine is away. */
async function lookOrUndefined(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  try {
    return await inspectState(docker, id, deadlines.lookMs, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asAgentError(thrown);
    if (error.code === 'RUNTIME_UNAVAILABLE' || error.code === 'RUNTIME_FAILED') return undefined;
    throw error;
  }
}

/**
 * AdmissionControl a call to the engine's wait; answers whether the engine answered, which it does when the container has ended.
 * If not, HOLD_MS are over, or the call has failed a moment ago.
 */
async function answeredInTime(docker: Docker, id: string, signal: AbortSignal): Promise<boolean> {
  const heldSince = performance.now();
  try {
    const call = { doing: `wait for container ${id}`, ms: HOLD_MS, signal };
    await callEngine(call, (abortSignal) => answered(docker, id, abortSignal));
    return true;
  } catch {
    signal.throwIfAborted();
    // Being held to the full is the ordinary case; whatever else failed, the next look will tell.
    if (performance.now() - heldSince < HOLD_MS) await sleep(PAUSE_MS, signal);
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
 * Resolves when the engine's wait is answered. The engine sends the head of its answer at once, and a connection that
 * breaks after that would leave the client's own wait unsettled; a stream tells.
 */
async function answered(docker: Docker, id: string, abortSignal: AbortSignal): Promise<void> {
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
  if (!(answer instanceof Readable)) throw new AgentError('INTERNAL', 'an answer that is no stream');
  await finished(answer.resume());
}
