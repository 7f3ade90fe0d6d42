import type { AgentError } from '../../domain/errors.ts';
import { within } from '../../lib/deadline.ts';
import { RETRY } from './policies.ts';
import { isTransient, type RetryOptions, retry } from './retry.ts';

/** Repeats a call that has to succeed before the agent can go on. */
export type RetryUntilStopped = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/**
 * Makes a function that repeats a call for ever, since engine, broker and token may come back. With `once` it repeats
 * only transient failures, for a minute, and aborts the signal that the call gets after that.
 */
export function retryUntilStopped(
  deps: Pick<RetryOptions, 'clock' | 'random' | 'signal' | 'sooner'> & {
    /** Called after each failure; the next attempt is in `retryInMs`. */
    readonly onBlocked: (error: AgentError, retryInMs: number) => void;
    readonly once: boolean;
    /** Called when the broker has refused the token. */
    readonly onRefused: () => void;
  },
): RetryUntilStopped {
  const { onBlocked, once, onRefused } = deps;
  const onRetry = (error: AgentError, _attempt: number, retryInMs: number): void => {
    if (error.code === 'BROKER_UNAUTHORIZED') onRefused();
    onBlocked(error, retryInMs);
  };
  return (call) => {
    const signal = once ? within(RETRY.startupOnce.giveUpAfterMs, deps.signal) : deps.signal;
    const policy = once ? RETRY.startupOnce : RETRY.startup;
    const retryIf = once ? isTransient : () => true;
    return retry({ ...deps, policy, retryIf, onRetry, signal }, () => call(signal));
  };
}
