import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something is so, looking every few milliseconds. Throws when it has not come in `patienceMs`. */
export async function until(what: string, isSo: () => boolean, patienceMs = 300_000): Promise<void> {
  const latest = performance.now() + patienceMs;
  while (!isSo()) {
    if (performance.now() > latest) throw new Error(`waited in vain: ${what}`);
    await pause(5);
  }
}
