import type Docker from 'dockerode';
import { z } from 'zod';
import type { Exit } from '../../domain/ports.ts';
import { callEngine } from './call.ts';
import { linesOf } from './json-lines.ts';
import type { SeenEnd } from './waiting.ts';

/** 128 and the numbers of SIGKILL and SIGTERM. */
const KILLED: readonly number[] = [137, 143];

/** What an engine remembers of a container's end: whether it saw it, and whether it was told to kill it. */
export type EngineMemory = { readonly sawEnd: boolean; readonly toldToKill: boolean };

/**
 * Whose doing an end was. What may cost a question is asked only where it matters.
 *
 * An engine that does not keep its containers (no live-restore) ends them when it stops, in whatever way they take
 * that, and kills those that it finds when it starts again. One that keeps them knows their exit codes afterwards, but
 * not what they printed meanwhile, so a job that ended well may have lost its result.
 */
export async function endedBy(
  { engineWasAway, exit }: SeenEnd,
  liveRestore: () => Promise<boolean>,
  memory: () => Promise<EngineMemory>,
): Promise<Exit['endedBy']> {
  if (exit.oomKilled) return 'itself';
  const killed = KILLED.includes(exit.code);
  if (engineWasAway) {
    if (killed || exit.code === 0) return 'engine';
    if (await liveRestore()) return 'itself';
    const { sawEnd, toldToKill } = await memory();
    return sawEnd && !toldToKill ? 'itself' : 'engine';
  }
  if (!killed) return 'itself';
  const { sawEnd, toldToKill } = await memory();
  if (toldToKill) return 'other';
  return sawEnd ? 'itself' : 'engine';
}

/** How long after an end the engine may note it, in milliseconds. */
const NOTE_MS = 500;

const EVENT = z.object({ Action: z.string() });

/**
 * What the engine remembers of the end of a container at `finishedAt` (milliseconds of its clock). It keeps the last
 * 256 events, and none across its own restart.
 */
export async function engineMemory(
  docker: Docker,
  id: string,
  finishedAt: number,
  call: { readonly ms: number; readonly signal: AbortSignal },
): Promise<EngineMemory> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ['kill', 'die'] });
  // Its note of the end comes a moment after the end. The engine closes the stream when its clock is past `until`.
  const window = { since: 1, until: (finishedAt + NOTE_MS) / 1000 };
  const doing = `ask for the events of container ${id}`;
  return callEngine({ doing, ...call }, async (abortSignal) => {
    const stream = await docker.getEvents({ ...window, filters, abortSignal });
    const actions: string[] = [];
    for await (const line of linesOf(stream)) actions.push(EVENT.parse(JSON.parse(line)).Action);
    return { sawEnd: actions.includes('die'), toldToKill: actions.includes('kill') };
  });
}
