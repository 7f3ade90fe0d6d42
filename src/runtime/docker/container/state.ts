import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
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

const STATE = z.object({ Status: z.string(), StartedAt: z.string().optional().catch(undefined) });
const ENDED_STATE = z.object({ ExitCode: z.int(), OOMKilled: z.boolean(), FinishedAt: z.string() });

/**
 * Reads the `State` of an inspect answer. Throws RUNTIME_FAILED if it is malformed: an exit code that is missing is not 0.
 */
export function readState(answer: unknown): ContainerState {
  const { StartedAt = '', Status } = read(STATE, answer);
  const startedAt = parseTime(StartedAt);
  if (Status === 'created') return { name: 'created', startedAt: undefined, exit: undefined, paused: false };
  if (!hasEnded(Status)) return { name: 'running', startedAt, exit: undefined, paused: Status === 'paused' };
  const { ExitCode: code, FinishedAt, OOMKilled: oomKilled } = read(ENDED_STATE, answer);
  // The engine records the start when it hears of it, which can be after the exit of a short job.
  const finishedAt = Math.max(parseTime(FinishedAt) ?? 0, startedAt ?? 0);
  const exit = { code, oomKilled, startedAt: startedAt ?? finishedAt, finishedAt };
  return { name: 'exited', startedAt, exit, paused: false };
}

function read<Shape>(schema: z.ZodType<Shape>, answer: unknown): Shape {
  const { data, error } = schema.safeParse(answer);
  if (data !== undefined) return data;
  throw new AgentError('RUNTIME_FAILED', 'Docker’s description of a container is malformed', {
    cause: error,
  });
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
