import { stat } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';
import { replaceFile, whyUnwritable } from '../lib/replace-file.ts';
import type { Loaded } from './config.ts';
import { DEFAULT_TOKEN_FILE, tokenOrigin } from './token.ts';

const SUDO = 'run the command with sudo, or name a file of your own with --token-file';

/** The file that `login` writes: the one that the configuration names, else that of the service. */
export function tokenFileOf(loaded: Pick<Loaded, 'config' | 'sources'>): string {
  const origin = tokenOrigin(loaded);
  if (origin.kind === 'file') return origin.path;
  return loaded.config.tokenFile ?? DEFAULT_TOKEN_FILE;
}

/** Whether something is in the token file. Throws TOKEN_FILE_UNSAFE where it is no file, or cannot be looked at. */
export async function hasToken(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw unwritable(path, 'it is not a regular file');
    return found.size > 0;
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    if (isMissing(cause)) return false;
    throw unwritable(path, messageOf(cause));
  }
}

/**
 * Throws TOKEN_FILE_UNSAFE where `uid` could not write the token file, or others than `uid` and root could put another file in
 * its place.
 */
export async function requireWritable(path: string, uid: number): Promise<void> {
  const found = await whyUnwritable(path, uid);
  if (found === undefined) return;
  const { hint = SUDO, why } = found;
  throw new AgentError('TOKEN_FILE_UNSAFE', `the token file ${path} ${why}`, { hint });
}

/** Writes the token with mode 0600, as a whole or not at all. Throws TOKEN_FILE_UNSAFE. */
export async function writeTokenFile(path: string, token: string): Promise<void> {
  try {
    await replaceFile(path, `${token}\n`, { mode: 0o600 });
  } catch (cause) {
    throw unwritable(path, messageOf(cause), cause);
  }
}

function unwritable(path: string, why: string, cause?: unknown): AgentError {
  return new AgentError('TOKEN_FILE_UNSAFE', `the token file ${path} cannot be written: ${why}`, {
    hint: SUDO,
    cause,
  });
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
