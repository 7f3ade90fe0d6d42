import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';

/** An agent that is to end when all is done polls this often whether it is. */
const EVERY_MS = 100;

/** Waits until all is done, or the signal aborts. While that cannot be told, it is not. */
export async function untilIdle(idle: () => boolean, log: Log, signal: AbortSignal): Promise<void> {
  let said: string | undefined;
  do {
    try {
      if (idle()) return;
    } catch (thrown) {
      const { code, hint, message } = asAgentError(thrown);
      if (message !== said) log.warn({ code, hint }, `not ended yet: ${message}`);
      said = message;
    }
  } while (await sleep(EVERY_MS, signal));
}
