import { access, constants, stat } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';
import { notADirectory } from '../state-dir/state-dir.ts';

/** Throws STATE_DIR_UNUSABLE where there is no such directory, or not for the eyes of this user. */
export async function checkReadable(stateDir: string): Promise<void> {
  const found = await stat(stateDir).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw notADirectory(stateDir);
  try {
    await access(stateDir, constants.R_OK | constants.X_OK);
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (absent) throw nothingHere(`there is no state directory ${stateDir}`, cause);
    throw new AgentError('STATE_DIR_UNUSABLE', `the state directory ${stateDir} cannot be read`, {
      hint: 'run this as the user that the agent runs as',
      cause,
    });
  }
}

/** The error for a state directory, or a journal in it, that is not there. */
export function nothingHere(message: string, cause?: unknown): AgentError {
  return new AgentError('STATE_DIR_UNUSABLE', message, {
    hint: 'start the agent once, or give the --state-dir that it runs with',
    cause,
  });
}
