import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import { ownUid } from '../lib/foreign-access.ts';
import { ownerFor, refuseForeignDirectory, refuseForeignPath } from './ownership.ts';
import { findAgent, type RunningAgent } from './running-agent.ts';
import { notADirectory } from './state-dir.ts';

/** A state directory as seen without locking or changing it. */
export type StateDirInspection =
  /** It does not exist; `parent` is the nearest existing directory above it. */
  | { readonly kind: 'absent'; readonly parent: string }
  | {
      readonly kind: 'here';
      readonly agent: RunningAgent;
      /** How many jobs in its journal are unfinished. */
      readonly openJobs: number;
    };

/**
 * Inspects a state directory without changing it; an agent may be using it. `countOpenJobs` reads its journal. Throws
 * STATE_DIR_UNUSABLE if an agent of this user could not use it, or another user could change it, and what `countOpenJobs` throws.
 */
export async function inspectStateDir(
  directory: string,
  countOpenJobs: (path: string) => number,
  uid: number = ownUid(),
): Promise<StateDirInspection> {
  const path = resolve(directory);
  refuseForeignPath(path, ownerFor(path, uid));
  const nearest = await nearestDirectory(path);
  await checkUsable(nearest, path);
  if (nearest !== path) return { kind: 'absent', parent: nearest };
  refuseForeignDirectory(path, ownerFor(path, uid));
  return { kind: 'here', agent: findAgent(path), openJobs: countOpenJobs(path) };
}

/** The path itself if it exists, else the nearest existing directory above it. */
export async function nearestDirectory(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (cause) {
    const above = dirname(path);
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const absent = code === 'ENOENT' || code === 'ENOTDIR';
    if (!absent || above === path) return path;
    return nearestDirectory(above);
  }
}

async function checkUsable(nearest: string, path: string): Promise<void> {
  const found = await stat(nearest).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw notADirectory(nearest);
  try {
    await access(nearest, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const why =
      nearest === path
        ? `${path} cannot be used by this user (${reason})`
        : `${path} cannot be created: this user cannot write to ${nearest} (${reason})`;
    throw new AgentError('STATE_DIR_UNUSABLE', why, {
      hint: 'create it for the agent’s user, or name another with --state-dir',
      cause,
    });
  }
}
