import type Docker from 'dockerode';
import { z } from 'zod';
import type { Exit } from '../../domain/ports.ts';
import { callEngine } from './call.ts';
import { linesOf } from './json-lines.ts';
import type { SeenEnd } from './waiting.ts';

/** 128 and the numbers of SIGKILL and SIGTERM. */
const KILLED: readonly number[] = [137, 143];

/**
 * Whose doing an end was. Pure. An engine that does not keep its containers (no live-restore) ends them when it stops,
 * in whatever way they take that, and kills those that it finds when it starts again. `killedByCall` says whether
 * somebody had the engine kill the container; asked only where that may be.
 */
export async function endedBy(
  { engineWasAway, exit }: SeenEnd,
  liveRestore: () => Promise<boolean>,
  killedByCall: () => Promise<boolean>,
): Promise<Exit['endedBy']> {
  if (exit.code === 0 || exit.oomKilled) return 'itself';
  const killed = KILLED.includes(exit.code);
  if (engineWasAway) return killed || !(await liveRestore()) ? 'engine' : 'itself';
  return killed && (await killedByCall()) ? 'other' : 'itself';
}

const EVENT = z.object({ Action: z.string() });

/**
 * Whether the engine remembers that it was told to kill a container, before `finishedAt` (milliseconds of its clock).
 * It keeps some hundred events, until it ends.
 */
export async function wasKilledByCall(
  docker: Docker,
  id: string,
  finishedAt: number,
  call: { readonly ms: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ['kill'] });
  // An end that has passed makes the engine close the stream at once.
  const window = { since: 1, until: (finishedAt + 1) / 1000 };
  const doing = `ask for the events of container ${id}`;
  return callEngine({ doing, ...call }, async (abortSignal) => {
    const stream = await docker.getEvents({ ...window, filters, abortSignal });
    for await (const line of linesOf(stream)) {
      if (EVENT.parse(JSON.parse(line)).Action === 'kill') return true;
    }
    return false;
  });
}
