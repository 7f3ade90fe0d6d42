import { AgentError } from '../../domain/errors.ts';
import { retry } from './retry.ts';
import { engineRetry, type RetryEngineOptions } from './retry-engine.ts';

/**
 * Makes a change of the journal, and repeats it while the disk refuses: nothing may get ahead of the journal. Throws
 * where the change itself is invalid, and where the signal aborts first.
 */
export async function writeDurably<T>(
  options: Omit<RetryEngineOptions, 'retryIf'>,
  change: () => T,
): Promise<T> {
  if (options.signal.aborted) throw new AgentError('INTERNAL', 'the journal is not written any more');
  const retryIf = ({ code }: AgentError): boolean => code === 'STATE_DIR_UNUSABLE';
  return retry({ ...options, ...engineRetry(options.log), retryIf }, change);
}
