import { AgentError, asAgentError, type ErrorCode } from '../domain/errors.ts';
import { withDeadline } from '../lib/deadline.ts';

/** The value of a query and how long it took in milliseconds, or its error. */
export type QueryResult<T> = { readonly value: T; readonly ms: number } | { readonly error: AgentError };

/** The deadline of a query in milliseconds, and the error of one that misses it. */
export type QueryLimits = {
  readonly ms: number;
  readonly code: ErrorCode;
  /** The subject of `... gave no answer in 8 s`. */
  readonly who: string;
  /** The hint of that error, and of any error without one. */
  readonly hint: string;
};

/** Runs a query under a deadline. Never throws. */
export async function query<T>(
  limits: QueryLimits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<QueryResult<T>> {
  const { code, hint, ms, who } = limits;
  const error = new AgentError(code, `${who} gave no answer in ${ms / 1000} s`, { hint });
  const began = performance.now();
  try {
    const value = await withDeadline({ ms, error }, work);
    return { value, ms: Math.round(performance.now() - began) };
  } catch (thrown) {
    return { error: withHint(asAgentError(thrown), hint) };
  }
}

/** An internal error keeps its own hint, because the owner cannot fix it. */
function withHint(error: AgentError, hint: string): AgentError {
  if (error.hint !== undefined || error.code === 'INTERNAL') return error;
  return new AgentError(error.code, error.message, { hint, cause: error });
}

/** The value, or undefined after an error. */
export function valueOf<T>(answer: QueryResult<T>): T | undefined {
  return 'value' in answer ? answer.value : undefined;
}
