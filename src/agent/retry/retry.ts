import { type AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import { type BackoffShape, backoffMs } from '../../lib/backoff.ts';
import { sleep } from '../../lib/sleep.ts';

/** Errors after which the same call may well succeed. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'BROKER_UNREACHABLE',
  'BROKER_UNAVAILABLE',
  'BROKER_NOT_JSON',
  'BROKER_BAD_ANSWER',
]);

/** Whether the same call to the broker may succeed a moment later. */
export function isTransient(error: AgentError): boolean {
  return PASSING.has(error.code);
}

/** The waits of each verb between tries; see docs/broker.md. */
export const BACKOFF = {
  poll: { initialMs: 1_000, maxMs: 60_000 },
  claim: { initialMs: 200, maxMs: 5_000 },
  report: { initialMs: 500, maxMs: 300_000 },
  lookup: { initialMs: 500, maxMs: 60_000 },
  gone: { initialMs: 5_000, maxMs: 600_000 },
  image: { initialMs: 2_000, maxMs: 600_000 },
  engine: { initialMs: 500, maxMs: 15_000 },
  ping: { initialMs: 500, maxMs: 2_000 },
  disk: { initialMs: 500, maxMs: 2_000 },
} as const satisfies Readonly<Record<string, BackoffShape>>;

/** With a token that was refused the broker is asked again this often; a new token is noticed sooner. */
export const UNAUTHORIZED_RETRY_MS = 60_000;

/** By up to this part a broker that asks us to wait is let wait longer. */
const RETRY_AFTER_JITTER = 0.1;

/** How long a claim is repeated before it is given up. */
export const CLAIM_TIMEOUT_MS = 30_000;

/** How long to wait after `error` before the same call is tried again, for the `attempt`-th time. */
export function waitAfter(
  error: AgentError,
  shape: BackoffShape,
  attempt: number,
  random: () => number,
): number {
  if (error.code === 'BROKER_UNAUTHORIZED') return UNAUTHORIZED_RETRY_MS;
  // Whoever else was asked to come back then should not all come in the same instant.
  const asked = (error.retryAfterMs ?? 0) * (1 + RETRY_AFTER_JITTER * random());
  return Math.max(Math.round(asked), backoffMs(shape, attempt, random));
}

/** What decides how a call is repeated. */
export type RetryPlan = {
  readonly shape: BackoffShape;
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** Whether to try again after this error; the next try would come `elapsedMs` after the first. */
  readonly again: (error: AgentError, elapsedMs: number) => boolean;
  readonly monotonic: () => number;
  readonly onRetry?: (error: AgentError, waitMs: number) => void;
  /** A signal that ends the wait that begins now early, without ending the tries. */
  readonly sooner?: () => AbortSignal;
};

/** Repeats `call` as the plan says; throws its last error when the plan or the signal says stop. */
export async function withRetry<T>(plan: RetryPlan, call: () => Promise<T>): Promise<T> {
  const began = plan.monotonic();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (thrown) {
      const error = asAgentError(thrown);
      const waitMs = waitAfter(error, plan.shape, attempt, plan.random);
      const next = plan.monotonic() - began + waitMs;
      if (plan.signal.aborted || !plan.again(error, next)) throw error;
      plan.onRetry?.(error, waitMs);
      const sooner = plan.sooner?.() ?? [];
      await sleep(waitMs, AbortSignal.any([plan.signal].concat(sooner)));
      if (plan.signal.aborted) throw error;
    }
  }
}
