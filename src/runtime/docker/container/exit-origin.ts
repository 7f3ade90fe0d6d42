import type { Exit } from '../../../domain/ports/runtime.ts';
import type { ContainerHistory } from './history.ts';
import type { ObservedExit } from './wait.ts';

/** The exit codes of SIGKILL and SIGTERM: 128 plus the signal's number. */
const KILLED: readonly number[] = [137, 143];

/** What can be asked of the engine about an exit. */
export type ExitEvidence = {
  /** Whether the engine keeps its containers running when it stops. */
  readonly liveRestore: () => Promise<boolean>;
  /** undefined: the engine refuses access to its events. */
  readonly history: () => Promise<Pick<ContainerHistory, 'exit' | 'updated'> | undefined>;
};

/**
 * Decides what ended a container. Without live-restore, an engine stops its containers when it stops, and kills surviving
 * ones when it starts. With live-restore, it knows their exit codes but not what they printed while it was down, so a job
 * that exited with 0 may have lost its result.
 */
export async function exitOrigin(
  { alreadyExited, engineWasUnreachable, exit }: ObservedExit,
  { history, liveRestore }: ExitEvidence,
): Promise<Exit['exitOrigin']> {
  // Somebody may have lowered the limit that the job then exceeded.
  if (exit.oomKilled) return (await history())?.updated === true ? 'external' : 'job';
  const killed = KILLED.includes(exit.code);
  if (engineWasUnreachable && (killed || exit.code === 0)) return 'engine';
  if (exit.code === 0) return 'job';
  const record = (await history())?.exit;
  if (record === 'exited') return 'job';
  if (record === 'killed') return engineWasUnreachable ? 'engine' : 'external';
  if (killed) return 'engine';
  // A wait through a reachable engine has observed the whole exit.
  if (!(engineWasUnreachable || alreadyExited) || (await liveRestore())) return 'job';
  return engineWasUnreachable || record === 'missing' ? 'engine' : 'job';
}
