import { AgentError, asAgentError, type ErrorCode } from '../domain/errors.ts';

/** What came of a look: what was seen and how long that took in milliseconds, or why nothing was seen. */
export type Answer<T> = { readonly value: T; readonly ms: number } | { readonly error: AgentError };

/** How long a look may take, in milliseconds, and what to say of one that takes longer. */
export type Patience = {
  readonly ms: number;
  readonly code: ErrorCode;
  /** The subject of «... gave no answer in 8 s». */
  readonly who: string;
  /** What to do about that, and about an error that does not say so itself. */
  readonly mend: string;
};

/** Looks, but not for longer than that: what does not heed the signal is left to itself. Never throws. */
export async function look<T>(
  patience: Patience,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const { code, mend, ms, who } = patience;
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new AgentError(code, `${who} gave no answer in ${ms / 1000} s`, { mend });
    late.reject(error);
    controller.abort(error);
  }, ms);
  const began = performance.now();
  try {
    const value = await Promise.race([work(controller.signal), late.promise]);
    return { value, ms: Math.round(performance.now() - began) };
  } catch (thrown) {
    return { error: withMend(asAgentError(thrown), mend) };
  } finally {
    clearTimeout(timer);
  }
}

/** A defect stays as it is: there is nothing that its owner could do. */
function withMend(error: AgentError, mend: string): AgentError {
  if (error.mend !== undefined || error.code === 'INTERNAL') return error;
  return new AgentError(error.code, error.message, { mend, cause: error });
}

/** What was seen, or undefined where nothing was. */
export function valueOf<T>(answer: Answer<T>): T | undefined {
  return 'value' in answer ? answer.value : undefined;
}
