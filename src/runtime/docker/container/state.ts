import type Docker from 'dockerode';
import type { Exit, FoundContainer } from '../../../domain/ports/runtime.ts';
import { callEngine } from '../engine/call.ts';

/** The engine's states of a container that cannot run any more: in the last two, its removal is stuck or under way. */
const ENDED: readonly string[] = ['exited', 'dead', 'removing'];

/** Whether the engine's word for a state says that the container cannot run any more. */
export function hasEnded(status: string): boolean {
  return ENDED.includes(status);
}

/** A container's state in the domain's words. The engine's `dead` and `removing` count as exited. */
export type ContainerState = {
  readonly name: FoundContainer['state'];
  /** Milliseconds since the epoch by the engine's clock; undefined if it was never started. */
  readonly startedAt: number | undefined;
  readonly exit: EngineExit | undefined;
  readonly paused: boolean;
};

/** What the engine says about an exit. */
export type EngineExit = Omit<Exit, 'exitOrigin' | 'restarted' | 'pausedMs'>;

type EngineState = Pick<
  Docker.ContainerInspectInfo['State'],
  'Status' | 'ExitCode' | 'OOMKilled' | 'StartedAt' | 'FinishedAt'
>;

/** Reads the `State` of an inspect answer. */
export function readState(state: EngineState): ContainerState {
  const startedAt = parseTime(state.StartedAt);
  if (state.Status === 'created')
    return { name: 'created', startedAt: undefined, exit: undefined, paused: false };
  if (!hasEnded(state.Status))
    return { name: 'running', startedAt, exit: undefined, paused: state.Status === 'paused' };
  // The engine records the start when it hears of it, which can be after the exit of a short job.
  const finishedAt = Math.max(parseTime(state.FinishedAt) ?? 0, startedAt ?? 0);
  const exit = {
    code: state.ExitCode,
    oomKilled: state.OOMKilled,
    startedAt: startedAt ?? finishedAt,
    finishedAt,
  };
  return { name: 'exited', startedAt, exit, paused: false };
}

/** The engine writes an unset time as January 1 of the year 1. */
function parseTime(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** Asks the engine for a container's state. Throws CONTAINER_GONE, RUNTIME_*. */
export async function inspectState(
  docker: Docker,
  id: string,
  ms: number,
  signal?: AbortSignal,
): Promise<ContainerState> {
  const container = await callEngine({ action: `inspect container ${id}`, ms, signal }, (abortSignal) =>
    docker.getContainer(id).inspect({ abortSignal }),
  );
  return readState(container.State);
}
