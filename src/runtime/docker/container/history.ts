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

/** What the engine's events say about a container that has ended, as far as it remembers them. */
export type ContainerHistory = {
  readonly exit: ExitRecord;
  /** Whether it was started more than once, which only somebody else does. */
  readonly restarted: boolean;
  /** How long it was paused in all, in milliseconds. */
  readonly pausedMs: number;
  /** Whether its limits were changed. */
  readonly updated: boolean;
};

const EVENT = z.object({ Action: z.string(), timeNano: z.number().optional().catch(undefined) });
const CREATED = z.object({ Created: z.string() });

/** An event of the container, and its time by the engine's clock; undefined: it names none. */
type ContainerEvent = { readonly action: string; readonly at: number | undefined };

const ACTIONS = ['start', 'kill', 'die', 'pause', 'unpause', 'update'];

/** A signal through the engine is to blame for an exit so long after it, in milliseconds: a stop gives 10 s by default. */
const KILL_TO_EXIT_MS = 60_000;

/**
 * Looks up the past of a container that ended at `finishedAt` (milliseconds of the engine's clock). The engine keeps its
 * last 256 events, and none across a restart. undefined if it refuses access. Throws RUNTIME_UNAVAILABLE.
 */
export async function findHistory(
  docker: Docker,
  id: string,
  finishedAt: number,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<ContainerHistory | undefined> {
  try {
    const events = await pastEvents(docker, id, finishedAt, deadlines, signal);
    const seen = summaryOf(events, finishedAt);
    if (seen.exit !== undefined) return { ...seen, exit: seen.exit };
    const startedAt = await engineStart(docker, { ms: deadlines.inspectMs, signal });
    return { ...seen, exit: startedAt !== undefined && startedAt < finishedAt ? 'expired' : 'missing' };
  } catch (thrown) {
    if (asAgentError(thrown).code !== 'RUNTIME_FAILED') throw thrown;
    return undefined;
  }
}

/** What these events say; `exit` is undefined without an exit among them. Pure. */
export function summaryOf(
  events: readonly ContainerEvent[],
  finishedAt: number,
): Omit<ContainerHistory, 'exit'> & { readonly exit: 'exited' | 'killed' | undefined } {
  const end = events.findLastIndex(({ action }) => action === 'die');
  const endedAt = events[end]?.at ?? finishedAt;
  const wasKilled = events.some(
    ({ action, at }) => action === 'kill' && endedAt - (at ?? endedAt) < KILL_TO_EXIT_MS,
  );
  let pausedMs = 0;
  let pausedAt: number | undefined;
  for (const { action, at } of events) {
    if (action === 'pause') pausedAt ??= at;
    if (pausedAt === undefined || (action !== 'unpause' && action !== 'die')) continue;
    pausedMs += Math.max((at ?? pausedAt) - pausedAt, 0);
    pausedAt = undefined;
  }
  return {
    exit: end === -1 ? undefined : wasKilled ? 'killed' : 'exited',
    restarted: events.filter(({ action }) => action === 'start').length > 1,
    pausedMs,
    updated: events.some(({ action }) => action === 'update'),
  };
}

/** The container's events, up to that of its exit. */
async function pastEvents(
  docker: Docker,
  id: string,
  finishedAt: number,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<readonly ContainerEvent[]> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ACTIONS });
  const action = `read the events of container ${id}`;
  return callEngine({ action, ms: deadlines.inspectMs, signal }, async (abortSignal) => {
    const stream = await docker.getEvents({ since: 1, filters, abortSignal });
    if (!(stream instanceof Readable)) throw new AgentError('INTERNAL', 'the events are not a stream');
    const events: ContainerEvent[] = [];
    let isSilent = false;
    // The engine sends past events at once and then waits for new ones. `until` cannot end the stream, because it
    // would need the engine's clock.
    const silence = setTimeout(() => {
      isSilent = true;
      stream.destroy();
    }, deadlines.eventsMs);
    try {
      for await (const line of linesOf(stream)) {
        const { Action, timeNano } = EVENT.parse(JSON.parse(line));
        const at = timeNano === undefined ? undefined : timeNano / 1e6;
        events.push({ action: Action, at });
        // The event of the last exit is later than that exit; an earlier one is of a container that was started again.
        if (Action === 'die' && (at === undefined || at >= finishedAt)) return events;
      }
    } catch (thrown) {
      if (!isSilent) throw thrown;
    } finally {
      clearTimeout(silence);
      stream.destroy();
    }
    if (!isSilent)
      throw new AgentError('RUNTIME_UNAVAILABLE', `could not ${action}: Docker closed the stream`);
    return events;
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
