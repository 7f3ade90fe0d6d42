import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';

const CHECK_MS = 100;

/** Waits until the agent is idle, or the signal aborts. An agent that cannot tell, because `idle` throws, is not. */
export async function untilIdle(idle: () => boolean, log: Log, signal: AbortSignal): Promise<void> {
  let logged: string | undefined;
  do {
    try {
      if (idle()) return;
    } catch (thrown) {
      const { code, hint, message } = asAgentError(thrown);
      if (message !== logged) log.warn({ event: 'idle-unknown', code, hint }, `not idle: ${message}`);
      logged = message;
    }
  } while (await sleep(CHECK_MS, signal));
}
