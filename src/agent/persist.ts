import { type AgentError, asAgentError } from '../domain/errors.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';
import { sleep } from '../lib/sleep.ts';
import { BACKOFF } from './retry.ts';

/** How a call that must succeed is repeated. */
export type Persistence = {
  readonly log: Log;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Whether to go on after this error, the `attempt`-th. */
  readonly again: (error: AgentError, attempt: number) => boolean;
};

/**
 * Repeats `call` until it works. undefined where `again` said no or the signal aborted.
 */
export async function persist<T>(how: Persistence, call: () => Promise<T> | T): Promise<T | undefined> {
  const { again, log, random, signal } = how;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      return await call();
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (signal.aborted || !again(error, attempt)) return undefined;
      log.warn({ code: error.code, mend: error.mend }, `trying again: ${error.message}`);
      await sleep(backoffMs(BACKOFF.engine, attempt, random), signal);
    }
  }
  return undefined;
}
