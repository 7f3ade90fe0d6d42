import { setTimeout as pause } from 'node:timers/promises';

/** Tries until it no longer throws, as `vi.waitFor`, which the bench cannot use. Throws what the last try threw. */
export async function attempt<T>(act: () => T | Promise<T>, timeoutMs = 120_000): Promise<T> {
  const latest = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await act();
    } catch (thrown) {
      if (performance.now() > latest) throw thrown;
    }
    await pause(50);
  }
}
