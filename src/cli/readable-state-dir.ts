import { access, constants, stat } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';
import { notADirectory } from '../state-dir/state-dir.ts';

/** Throws STATE_DIR_UNUSABLE if the state directory is absent or this user cannot read it. */
export async function checkReadable(stateDir: string): Promise<void> {
  const found = await stat(stateDir).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw notADirectory(stateDir);
  try {
    await access(stateDir, constants.R_OK | constants.X_OK);
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isAbsent) throw absent(`there is no state directory ${stateDir}`, cause);
    throw new AgentError('STATE_DIR_UNUSABLE', `the state directory ${stateDir} cannot be read`, {
      hint: 'run this as the user that the agent runs as',
      cause,
    });
  }
}

/** The error for a state directory without a journal. */
export function noJournal(stateDir: string): AgentError {
  return absent(`there is no journal in ${stateDir}`);
}

function absent(message: string, cause?: unknown): AgentError {
  return new AgentError('STATE_DIR_UNUSABLE', message, {
    hint: 'start the agent once, or name its state directory with --state-dir',
    cause,
  });
}
