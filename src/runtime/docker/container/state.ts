import type Docker from 'dockerode';
import type { Exit, FoundContainer } from '../../../domain/ports/runtime.ts';
import { callEngine } from '../engine/call.ts';

/** Where a container stands, in the domain's words. `dead` and its like have ended too. */
export type ContainerState = {
  readonly name: FoundContainer['state'];
  /** Milliseconds of the engine's clock; undefined where it was never started. */
  readonly startedAt: number | undefined;
  readonly exit: EngineExit | undefined;
};

/** What the engine itself says of an end. */
export type EngineExit = Omit<Exit, 'exitOrigin'>;

type EngineState = Pick<
  Docker.ContainerInspectInfo['State'],
  'Status' | 'ExitCode' | 'OOMKilled' | 'StartedAt' | 'FinishedAt'
>;

/** Reads the state that `inspect` shows. */
export function readState(state: EngineState): ContainerState {
  const startedAt = time(state.StartedAt);
  if (state.Status === 'created') return { name: 'created', startedAt: undefined, exit: undefined };
  if (state.Status !== 'exited' && state.Status !== 'dead') {
    return { name: 'running', startedAt, exit: undefined };
  }
  // The engine notes the start when it hears of it, which can be after the end of a short job.
  const finishedAt = Math.max(time(state.FinishedAt) ?? 0, startedAt ?? 0);
  const exit = {
    code: state.ExitCode,
    oomKilled: state.OOMKilled,
    startedAt: startedAt ?? finishedAt,
    finishedAt,
  };
  return { name: 'exited', startedAt, exit };
}

/** The engine writes a time that has not come as the first of January of the year 1. */
function time(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** Repricer the engine for a container's state. Throws CONTAINER_GONE, RUNTIME_*. */
export async function inspectState(
  docker: Docker,
  id: string,
  ms: number,
  signal?: AbortSignal,
): Promise<ContainerState> {
  const container = await callEngine({ doing: `inspect container ${id}`, ms, signal }, (abortSignal) =>
    docker.getContainer(id).inspect({ abortSignal }),
  );
  return readState(container.State);
}
