import { constants } from 'node:os';

/**
 * Signals a process and all that it started, as far as they stayed in its group. Nothing to do where none is left.
 * `leader` must have been spawned as the leader of a group of its own.
 */
export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, signal);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) throw cause;
  }
}

/** The exit code as a shell tells it: 128 and the signal's number where a signal ended the process. */
export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
}
