import { type AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { sleep } from '../../lib/sleep.ts';
import { type RetryPolicy, UNAUTHORIZED_RETRY_MS } from './policies.ts';

const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'BROKER_UNREACHABLE',
  'BROKER_UNAVAILABLE',
  'BROKER_NOT_JSON',
  'BROKER_BAD_ANSWER',
]);

/** A wait that the broker asked for is longer by up to this part, so that not all agents return in one instant. */
const RETRY_AFTER_JITTER = 0.1;

/** Whether the same call to the broker may succeed a moment later. */
export function isTransient({ code }: AgentError): boolean {
  return TRANSIENT.has(code);
}

/** How long to wait before the next try, in milliseconds, after `error` ended the `attempt`-th. */
export function waitAfter(
  error: AgentError,
  policy: RetryPolicy,
  attempt: number,
  random: () => number,
): number {
  if (error.code === 'BROKER_UNAUTHORIZED') return UNAUTHORIZED_RETRY_MS;
  const asked = (error.retryAfterMs ?? 0) * (1 + RETRY_AFTER_JITTER * random());
  return Math.max(Math.round(asked), backoffMs(policy, attempt, random));
}

export type RetryOptions = {
  readonly policy: RetryPolicy | ((error: AgentError) => RetryPolicy);
  /** Whether to try again after this error, the `attempt`-th in a row; by default where it is transient. */
  readonly retryIf?: (error: AgentError, attempt: number) => boolean;
  /** Called before each wait. */
  readonly onRetry?: (error: AgentError, attempt: number, waitMs: number) => void;
  /** The signal that ends the next wait early, and not the tries. */
  readonly sooner?: () => AbortSignal;
  /** Ends the tries. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: () => number;
};

/** Repeats `call` until it succeeds. Throws its last error where policy, `retryIf` or signal end the tries. */
export async function retry<T>(options: RetryOptions, call: () => Promise<T> | T): Promise<T> {
  const { clock, onRetry, random, retryIf = isTransient, signal, sooner } = options;
  const began = clock.monotonic();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (thrown) {
      const error = asAgentError(thrown);
      const policy = typeof options.policy === 'function' ? options.policy(error) : options.policy;
      const waitMs = waitAfter(error, policy, attempt, random);
      const elapsedMs = clock.monotonic() - began + waitMs;
      const isOver = policy.giveUpAfterMs !== undefined && elapsedMs >= policy.giveUpAfterMs;
      if (signal.aborted || isOver || !retryIf(error, attempt)) throw error;
      onRetry?.(error, attempt, waitMs);
      await sleep(waitMs, sooner === undefined ? signal : AbortSignal.any([signal, sooner()]));
      if (signal.aborted) throw error;
    }
  }
}
