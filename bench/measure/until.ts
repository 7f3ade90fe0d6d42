import { setTimeout as pause } from 'node:timers/promises';

/** Polls a condition every few milliseconds. Throws if it is not true within `timeoutMs`. */
export async function until(what: string, isSo: () => boolean, timeoutMs = 300_000): Promise<void> {
  const latest = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > latest) throw new Error(`timed out: ${what}`);
    await pause(5);
  }
}
