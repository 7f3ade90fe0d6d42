import type Docker from 'dockerode';
import { asAgentError } from '../../domain/errors.ts';
import { sleep } from '../../lib/sleep.ts';
import { callEngine, type EngineDeadlines } from './call.ts';
import { type ContainerState, type EngineExit, inspectState } from './container-state.ts';

/** How long one call to the engine's wait is held before the container is looked at again, in milliseconds. */
const HOLD_MS = 10_000;
/** The pause after a look that could not wait: the engine is away, or the container has not been started. */
const PAUSE_MS = 500;

/** An end, and whether the engine was away at some time between the last look at the running container and that. */
export type SeenEnd = { readonly exit: EngineExit; readonly engineWasAway: boolean };

/**
 * Waits for a container's end, through any number of broken connections and restarts of the engine. Throws
 * CONTAINER_GONE where it is no more, and the signal's reason when that is aborted.
 *
 * The truth is what inspect says; the engine's own wait only makes the next look come at once.
 */
export async function waitForExit(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<SeenEnd> {
  let engineWasAway = false;
  for (;;) {
    const state = await lookOrUndefined(docker, id, deadlines, signal);
    if (state?.exit !== undefined) return { exit: state.exit, engineWasAway };
    if (state?.name === 'running') engineWasAway = !(await heldUntilChange(docker, id, signal));
    else await sleep(PAUSE_MS, signal);
    if (state === undefined) engineWasAway = true;
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
 * Returns when the container has ended, when HOLD_MS are over, or soon after the call has failed; answers whether the
 * engine was there all the time.
 */
async function heldUntilChange(docker: Docker, id: string, signal: AbortSignal): Promise<boolean> {
  const heldSince = performance.now();
  try {
    await callEngine({ doing: `wait for container ${id}`, ms: HOLD_MS, signal }, (abortSignal) =>
      docker.getContainer(id).wait({ condition: 'not-running', abortSignal }),
    );
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    const unanswered = asAgentError(thrown).code === 'RUNTIME_UNAVAILABLE';
    // Being held to the full is the ordinary case; whatever else failed, the next look will tell.
    if (unanswered && performance.now() - heldSince >= HOLD_MS) return true;
    await sleep(PAUSE_MS, signal);
    return !unanswered;
  }
}
