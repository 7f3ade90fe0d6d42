import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { within } from '../../lib/deadline.ts';
import type { Observer } from '../events/events.ts';
import { BACKOFF, isTransient, withRetry } from './retry.ts';

/** With `--once`, what the broker denies is asked for again this long before giving up. */
export const ONCE_RETRY_LIMIT_MS = 60_000;

export type RetryPolicy = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/**
 * Makes a function that repeats what has to work before the agent can go on: for ever in a daemon, since engine,
 * broker and token may come back; with `once` only what passes by itself, and only for a minute,
 * with which the signal that the call is given aborts as well.
 */
export function retryPolicy(deps: {
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observer;
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** Called when the broker has refused the token. */
  readonly onRefused: () => void;
  /** A signal that ends a wait between two tries early. */
  readonly sooner: () => AbortSignal;
}): RetryPolicy {
  const { clock, observe, once, onRefused, random, signal, sooner } = deps;
  return (call) => {
    const inTime = once ? within(ONCE_RETRY_LIMIT_MS, signal) : signal;
    const onRetry = (error: AgentError, retryInMs: number): void => {
      if (error.code === 'BROKER_UNAUTHORIZED') onRefused();
      observe({ kind: 'startup-blocked', error, retryInMs });
    };
    const again = (error: AgentError, elapsedMs: number): boolean =>
      !once || (isTransient(error) && elapsedMs < ONCE_RETRY_LIMIT_MS);
    const monotonic = (): number => clock.monotonic();
    const shape = once ? BACKOFF.claim : BACKOFF.poll;
    const plan = { shape, signal: inTime, random, monotonic, again, onRetry, sooner };
    return withRetry(plan, () => call(inTime));
  };
}
