import type { Exit } from '../../../domain/ports/runtime.ts';
import type { ExitRecord } from './exit-record.ts';
import type { ObservedExit } from './wait.ts';

/** The exit codes of SIGKILL and SIGTERM: 128 plus the signal's number. */
const KILLED: readonly number[] = [137, 143];

/** What can be asked of the engine about an exit. */
export type ExitEvidence = {
  /** Whether the engine keeps its containers running when it stops. */
  readonly liveRestore: () => Promise<boolean>;
  /** undefined: the engine refuses access to its events. */
  readonly exitRecord: () => Promise<ExitRecord | undefined>;
};

/**
 * Decides what ended a container. Asks the engine only where the answer matters. Without live-restore, an engine stops
 * its containers when it stops, and kills surviving ones when it starts. With live-restore, it knows their exit codes but
 * not what they printed while it was down, so a job that exited with 0 may have lost its result.
 */
export async function exitOrigin(
  { alreadyExited, engineWasUnreachable, exit }: ObservedExit,
  { exitRecord, liveRestore }: ExitEvidence,
): Promise<Exit['exitOrigin']> {
  if (exit.oomKilled) return 'job';
  const killed = KILLED.includes(exit.code);
  if (engineWasUnreachable && (killed || exit.code === 0)) return 'engine';
  // A wait through a reachable engine has observed the whole exit.
  if (!killed && (exit.code === 0 || !(engineWasUnreachable || alreadyExited) || (await liveRestore())))
    return 'job';
  const record = await exitRecord();
  if (record === 'exited') return 'job';
  if (record === 'killed') return engineWasUnreachable ? 'engine' : 'external';
  if (killed || engineWasUnreachable || record === 'missing') return 'engine';
  return 'job';
}
