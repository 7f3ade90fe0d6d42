import { type AgentError, asAgentError } from '../../domain/errors.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';
import { BACKOFF } from './retry.ts';

/** How a call that must succeed is repeated. */
export type RetryUntilOptions = {
  readonly log: Log;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Whether to go on after this error, the `attempt`-th. */
  readonly again: (error: AgentError, attempt: number) => boolean;
};

/**
 * Repeats `call` until it works. undefined where `again` said no or the signal aborted.
 */
export async function retryUntil<T>(
  how: RetryUntilOptions,
  call: () => Promise<T> | T,
): Promise<T | undefined> {
  const { again, log, random, signal } = how;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      return await call();
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (signal.aborted || !again(error, attempt)) return undefined;
      const { code, hint, message } = error;
      log[deservesWarning(attempt) ? 'warn' : 'debug']({ code, hint, attempt }, `trying again: ${message}`);
      // Room on a disk comes from one moment to the next; an engine takes its time.
      const shape = code === 'STATE_DIR_UNUSABLE' ? BACKOFF.disk : BACKOFF.engine;
      await sleep(backoffMs(shape, attempt, random), signal);
    }
  }
  return undefined;
}

/** Less and less often, so that a trouble of days does not fill the log. */
function deservesWarning(attempt: number): boolean {
  return Number.isInteger(Math.log2(attempt));
}
