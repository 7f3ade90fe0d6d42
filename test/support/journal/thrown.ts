import { AgentError } from '../../../src/domain/errors.ts';

/** The AgentError that `work` throws; the test fails if it throws none. */
export function agentErrorOf(work: () => unknown): AgentError {
  try {
    work();
  } catch (cause) {
    if (cause instanceof AgentError) return cause;
    throw cause;
  }
  throw new Error('nothing was thrown');
}
