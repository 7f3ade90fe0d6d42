import { setTimeout as delay } from 'node:timers/promises';

/** Waits `ms` milliseconds; an aborted signal ends the wait early and quietly. Answers whether the time ran out in full. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch (cause) {
    if (signal?.aborted) return false;
    throw cause;
  }
}
