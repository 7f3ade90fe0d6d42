import { access, constants, stat } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';
import { readJournal } from '../journal/open-journal.ts';
import { notADirectory } from '../state-dir/state-dir.ts';

const NAME_IT = 'name the agent’s state directory with --state-dir';

/** Throws STATE_DIR_UNUSABLE if the state directory is absent (with `hint`) or this user cannot read it. */
export async function checkReadable(stateDir: string, hint = NAME_IT): Promise<void> {
  const found = await stat(stateDir).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw notADirectory(stateDir);
  try {
    await access(stateDir, constants.R_OK | constants.X_OK);
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isAbsent) throw absent(`there is no state directory ${stateDir}`, hint, cause);
    throw new AgentError('STATE_DIR_UNUSABLE', `the state directory ${stateDir} cannot be read`, {
      hint: 'run this as the user that the agent runs as',
      cause,
    });
  }
}

/** The error for a state directory without a journal. */
export function noJournal(stateDir: string, hint = NAME_IT): AgentError {
  return absent(`there is no journal in ${stateDir}`, hint);
}

/** Without a journal nothing is created, because most likely another state directory is meant. */
export function requireJournal(stateDir: string): void {
  const journal = readJournal(stateDir);
  if (journal === undefined) throw noJournal(stateDir);
  journal.close();
}

function absent(message: string, hint: string, cause?: unknown): AgentError {
  return new AgentError('STATE_DIR_UNUSABLE', message, { hint, cause });
}
