import { AgentError, asAgentError, type ErrorCode } from '../domain/errors.ts';
import { withDeadline } from '../lib/deadline.ts';

/** What came of a query: what was seen and how long that took in milliseconds, or why nothing was seen. */
export type QueryResult<T> = { readonly value: T; readonly ms: number } | { readonly error: AgentError };

/** How long a query may take, in milliseconds, and what to say of one that takes longer. */
export type QueryLimits = {
  readonly ms: number;
  readonly code: ErrorCode;
  /** The subject of «... gave no answer in 8 s». */
  readonly who: string;
  /** What to do about that, and about an error that does not say so itself. */
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

/** A defect stays as it is: there is nothing that its owner could do. */
function withHint(error: AgentError, hint: string): AgentError {
  if (error.hint !== undefined || error.code === 'INTERNAL') return error;
  return new AgentError(error.code, error.message, { hint, cause: error });
}

/** What was seen, or undefined where nothing was. */
export function valueOf<T>(answer: QueryResult<T>): T | undefined {
  return 'value' in answer ? answer.value : undefined;
}
