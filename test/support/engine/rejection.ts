import { expect } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';

/** The AgentError that a promise is rejected with; a test fails where it is not rejected, or with something else. */
export async function rejection(promise: Promise<unknown>): Promise<AgentError> {
  const thrown: unknown = await promise.then(
    (value) => expect.fail(`not rejected, but resolved to ${String(value)}`),
    (reason: unknown) => reason,
  );
  if (thrown instanceof AgentError) return thrown;
  throw thrown;
}
