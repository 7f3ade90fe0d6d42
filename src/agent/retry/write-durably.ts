import { AgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import { retryUntil } from './retry-until.ts';

/**
 * Makes a change of the journal, for as long as the disk denies it: what happens next must not go ahead of the
 * journal. Throws where the change itself is wrong, or where the signal aborts first.
 */
export async function writeDurably<T>(
  deps: { readonly log: Log; readonly random: () => number; readonly signal: AbortSignal },
  change: () => T,
): Promise<T> {
  let wrong: AgentError | undefined;
  const again = (error: AgentError): boolean => {
    wrong = error;
    return error.code === 'STATE_DIR_UNUSABLE';
  };
  const done = await retryUntil({ ...deps, again }, () => ({ value: change() }));
  if (done !== undefined) return done.value;
  throw wrong ?? new AgentError('INTERNAL', 'the journal was not to be written any more');
}
