import type { ServerResponse } from 'node:http';

const STALLED_MS = 60_000;

/** Waits until a reader has taken what was written. One that reads nothing for a minute is dropped: there are only so many connections. */
export async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stalled = setTimeout(() => response.destroy(), STALLED_MS);
  response.once('drain', resolve);
  response.once('close', resolve);
  await promise;
  clearTimeout(stalled);
  // A long stream waits often.
  response.off('drain', resolve);
  response.off('close', resolve);
}
