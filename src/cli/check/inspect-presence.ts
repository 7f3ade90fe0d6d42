import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { openPresence } from '../../compose-gpu.ts';
import type { Config } from '../../config/config.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { yields } from '../../domain/presence.ts';
import type { Session } from '../../domain/session.ts';
import { askAgent } from '../ask-agent.ts';
import { gpuLimits } from '../gpu-limits.ts';
import { type QueryResult, query } from '../query.ts';

/** What can be seen of the owner here. */
export type PresenceInspection = {
  /** By the wall clock, in milliseconds. */
  readonly now: number;
  /** Whether the ids of processes are those that nvidia-smi shows. */
  readonly areIdsShared: boolean;
  /** Whether the processes that only draw are shown as well. */
  readonly processes: QueryResult<{ readonly hasGraphics: boolean }>;
  /** Undefined: there is no logind. */
  readonly sessions: QueryResult<readonly Session[] | undefined>;
  /** Whether GameMode is installed. */
  readonly hasGameMode: boolean;
  /** Who reports games to the running agent; undefined: none runs, or it could not be asked. */
  readonly desks: readonly string[] | undefined;
};

const SESSIONS_MS = 8_000;
const AGENT_MS = 3_000;

/** Tries every source of signs; undefined where no GPU yields to its owner. `path` has the form of $PATH. */
export async function inspectPresence(
  config: Config,
  gpus: readonly Gpu[],
  { caller, now, path }: { readonly caller: string; readonly now: number; readonly path: string },
): Promise<PresenceInspection | undefined> {
  const { owners, policyOf, processes, sessions } = openPresence(config);
  const yielding = gpus.filter((gpu) => yields(policyOf(gpu)));
  if (yielding.length === 0) return undefined;
  const indexes = new Map(yielding.map(({ index, uuid }) => [index, uuid]));
  const limits = {
    ms: SESSIONS_MS,
    code: 'SESSIONS_UNREADABLE',
    who: 'systemd-logind',
    hint: 'run it by hand: loginctl list-sessions',
  } as const;
  const read = query(gpuLimits(config.nvidiaSmiTimeout), (signal) => processes.read(indexes, signal));
  return {
    now,
    areIdsShared: owners.areIdsShared,
    processes: await read,
    sessions: await query(limits, (signal) => sessions.read(signal)),
    hasGameMode: await isOnPath('gamemoded', path),
    desks: await desksOf({ caller }, config.stateDir),
  };
}

async function desksOf(
  context: { readonly caller: string },
  stateDir: string,
): Promise<readonly string[] | undefined> {
  try {
    const asked = await askAgent(context, stateDir, ENDPOINTS.desks, {}, AGENT_MS);
    return asked.kind === 'answer' ? asked.answer.desks.map(({ user }) => user) : undefined;
  } catch {
    // Of another version, or out of reach for this user: other rows say so.
    return undefined;
  }
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  const directories = [...path.split(':').filter(Boolean), '/usr/games'];
  const found = directories.map((directory) => access(join(directory, program), constants.X_OK));
  return Promise.any(found).then(
    () => true,
    () => false,
  );
}
