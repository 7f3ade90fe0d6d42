import type { AgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import { RETRY } from './policies.ts';
import { type RetryOptions, retry } from './retry.ts';

export type RetryEngineOptions = Pick<RetryOptions, 'clock' | 'random' | 'signal' | 'retryIf'> & {
  readonly log: Log;
};

/**
 * Repeats a call to the engine, or to the state directory, through every outage. By default it gives up only where the
 * container is gone. undefined: it gave up, or the signal aborted.
 */
export async function retryEngine<T>(
  options: RetryEngineOptions,
  call: () => Promise<T> | T,
): Promise<T | undefined> {
  if (options.signal.aborted) return undefined;
  const retryIf = ({ code }: AgentError): boolean => code !== 'CONTAINER_GONE';
  try {
    return await retry({ retryIf, ...engineRetry(options.log), ...options }, call);
  } catch {
    // Each failure was logged as it came, and the caller needs to know only that there is no result.
    return undefined;
  }
}

/** The waits of calls to the engine and the state directory, and a log of what is repeated. */
export function engineRetry(log: Log): Pick<RetryOptions, 'policy' | 'onRetry'> {
  return {
    policy: ({ code }) => (code === 'STATE_DIR_UNUSABLE' ? RETRY.stateDirWrite : RETRY.engineCall),
    onRetry: ({ code, hint, message }, attempt, retryInMs) => {
      // Ever more rarely, so that an outage of days does not fill the log.
      const level = Number.isInteger(Math.log2(attempt)) ? 'warn' : 'debug';
      const fields = { event: 'call-failed', code, hint, attempt, retryInMs };
      log[level](fields, `trying again: ${message}`);
    },
  };
}
