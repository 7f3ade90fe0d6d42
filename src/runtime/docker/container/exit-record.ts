import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { linesOf } from '../engine/json-lines.ts';

/**
 * What the engine's events say about a container's exit: it exited by itself; it exited after a kill through the engine;
 * no event although the engine was started later (it was down then); no event although it was running (event expired).
 */
export type ExitRecord = 'exited' | 'killed' | 'missing' | 'expired';

const EVENT = z.object({ Action: z.string() });
const CREATED = z.object({ Created: z.string() });

/**
 * Looks up the exit of a container that ended at `finishedAt` (milliseconds of the engine's clock). The engine keeps its
 * last 256 events, and none across a restart. undefined if it refuses access. Throws RUNTIME_UNAVAILABLE.
 */
export async function findExitRecord(
  docker: Docker,
  id: string,
  finishedAt: number,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<ExitRecord | undefined> {
  try {
    const actions = await pastActions(docker, id, deadlines, signal);
    if (actions.includes('die')) return actions.includes('kill') ? 'killed' : 'exited';
    const startedAt = await engineStart(docker, { ms: deadlines.inspectMs, signal });
    return startedAt !== undefined && startedAt < finishedAt ? 'expired' : 'missing';
  } catch (thrown) {
    if (asAgentError(thrown).code !== 'RUNTIME_FAILED') throw thrown;
    return undefined;
  }
}

/** The container's `kill` and `die` events, up to the first `die`. */
async function pastActions(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ['kill', 'die'] });
  const action = `read the events of container ${id}`;
  return callEngine({ action, ms: deadlines.inspectMs, signal }, async (abortSignal) => {
    const stream = await docker.getEvents({ since: 1, filters, abortSignal });
    if (!(stream instanceof Readable)) throw new AgentError('INTERNAL', 'the events are not a stream');
    const actions: string[] = [];
    let isSilent = false;
    // The engine sends past events at once and then waits for new ones. `until` cannot end the stream, because it
    // would need the engine's clock.
    const silence = setTimeout(() => {
      isSilent = true;
      stream.destroy();
    }, deadlines.eventsMs);
    try {
      for await (const line of linesOf(stream)) {
        const { Action } = EVENT.parse(JSON.parse(line));
        actions.push(Action);
        if (Action === 'die') return actions;
      }
    } catch (thrown) {
      if (!isSilent) throw thrown;
    } finally {
      clearTimeout(silence);
      stream.destroy();
    }
    if (!isSilent)
      throw new AgentError('RUNTIME_UNAVAILABLE', `could not ${action}: Docker closed the stream`);
    return actions;
  });
}

/**
 * When the engine started, in milliseconds of its clock; undefined if unknown. Taken from its own network `bridge`,
 * which an engine without live-restore recreates at every start.
 */
async function engineStart(
  docker: Docker,
  call: { readonly ms: number; readonly signal: AbortSignal },
): Promise<number | undefined> {
  // dockerode's type does not know the signal.
  const bridge: { inspect(options: { abortSignal: AbortSignal }): Promise<unknown> } =
    docker.getNetwork('bridge');
  const network: unknown = await callEngine(
    { action: 'find out when Docker started', ...call },
    async (abortSignal) => bridge.inspect({ abortSignal }),
  ).catch((thrown: unknown) => {
    // A 404: the engine has no such network.
    if (asAgentError(thrown).code === 'RUNTIME_UNAVAILABLE') throw thrown;
    return undefined;
  });
  const created = CREATED.safeParse(network);
  const at = created.success ? Date.parse(created.data.Created) : Number.NaN;
  return Number.isFinite(at) ? at : undefined;
}
