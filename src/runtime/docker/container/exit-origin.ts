import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import type { Exit } from '../../../domain/ports/runtime.ts';
import { type Call, callEngine } from '../engine/call.ts';
import { linesOf } from '../engine/json-lines.ts';
import type { SeenEnd } from './wait.ts';

/** 128 and the numbers of SIGKILL and SIGTERM. */
const KILLED: readonly number[] = [137, 143];

/**
 * What an engine knows of a container's end: that it saw it, after it was told to kill it or not; or nothing, so that
 * it was away then; or that it was there, and has forgotten since.
 */
export type EngineMemory = 'end' | 'kill and end' | 'nothing' | 'forgot';

/** What may be asked of an engine about a container's end. */
export type Witness = {
  /** Whether the engine keeps its containers when it stops. */
  readonly liveRestore: () => Promise<boolean>;
  /** undefined: it does not let itself be asked. */
  readonly memory: () => Promise<EngineMemory | undefined>;
};

/**
 * Whose doing an end was. What may cost a question is asked only where it matters.
 *
 * An engine that does not keep its containers (no live-restore) ends them when it stops, in whatever way they take
 * that, and kills those that it finds when it starts again. One that keeps them knows their exit codes afterwards, but
 * not what they printed meanwhile, so a job that ended well may have lost its result.
 */
export async function exitOrigin(
  { engineWasAway, exit, unwaited }: SeenEnd,
  { liveRestore, memory }: Witness,
): Promise<Exit['exitOrigin']> {
  if (exit.oomKilled) return 'job';
  const killed = KILLED.includes(exit.code);
  if (engineWasAway && (killed || exit.code === 0)) return 'engine';
  // Who waited through its end while the engine was there has seen all of it.
  if (!killed && (exit.code === 0 || !(engineWasAway || unwaited) || (await liveRestore()))) return 'job';
  const saw = await memory();
  if (saw === 'end') return 'job';
  if (saw === 'kill and end') return engineWasAway ? 'engine' : 'external';
  if (killed || engineWasAway || saw === 'nothing') return 'engine';
  return 'job';
}

/** So long an engine may take to tell what it remembers, and to note an end that it shows already, in milliseconds. */
const SILENCE_MS = 2_000;

const EVENT = z.object({ Action: z.string() });
const CREATED = z.object({ Created: z.string() });

/**
 * What the engine remembers of the end of a container at `finishedAt` (milliseconds of its clock). It keeps the last
 * 256 events, and none across its own restart. undefined where it refuses to tell. Throws RUNTIME_UNAVAILABLE.
 */
export async function engineMemory(
  docker: Docker,
  id: string,
  finishedAt: number,
  call: Pick<Call, 'ms' | 'signal'>,
): Promise<EngineMemory | undefined> {
  try {
    const actions = await noted(docker, id, call);
    if (actions.includes('die')) return actions.includes('kill') ? 'kill and end' : 'end';
    const since = await engineStart(docker, call);
    return since !== undefined && since < finishedAt ? 'forgot' : 'nothing';
  } catch (thrown) {
    if (asAgentError(thrown).code !== 'RUNTIME_FAILED') throw thrown;
    return undefined;
  }
}

/** What the engine has noted of a container's kills and end, up to its end. */
async function noted(
  docker: Docker,
  id: string,
  call: Pick<Call, 'ms' | 'signal'>,
): Promise<readonly string[]> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ['kill', 'die'] });
  const doing = `ask for the events of container ${id}`;
  return callEngine({ doing, ...call }, async (abortSignal) => {
    const stream = await docker.getEvents({ since: 1, filters, abortSignal });
    if (!(stream instanceof Readable)) throw new AgentError('INTERNAL', 'an answer that is no stream');
    const actions: string[] = [];
    let isSilent = false;
    // The engine tells at once what it has noted, and goes on; by no clock of ours or its own can it be told an end.
    const silence = setTimeout(() => {
      isSilent = true;
      stream.destroy();
    }, SILENCE_MS);
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
    if (!isSilent) throw new AgentError('RUNTIME_UNAVAILABLE', `could not ${doing}: Docker broke off`);
    return actions;
  });
}

/**
 * Since when the engine runs, in milliseconds of its clock; undefined where it does not tell. One that does not keep
 * its containers makes its own network anew at every start.
 */
async function engineStart(docker: Docker, call: Pick<Call, 'ms' | 'signal'>): Promise<number | undefined> {
  const network: unknown = await callEngine(
    { doing: 'ask since when Docker runs', ...call },
    async (abortSignal) => {
      const asked: { inspect(options: { abortSignal: AbortSignal }): Promise<unknown> } =
        docker.getNetwork('bridge');
      return asked.inspect({ abortSignal });
    },
  ).catch((thrown: unknown) => {
    // A 404: an engine without that network.
    if (asAgentError(thrown).code === 'RUNTIME_UNAVAILABLE') throw thrown;
    return undefined;
  });
  const read = CREATED.safeParse(network);
  const at = read.success ? Date.parse(read.data.Created) : Number.NaN;
  return Number.isFinite(at) ? at : undefined;
}
