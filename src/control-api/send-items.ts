import type { ServerResponse } from 'node:http';

const STALLED_MS = 60_000;

/**
 * Writes each object of a stream as its text, and asks for the next one when the reader has taken it, until the stream ends or
 * the reader has gone. A reader that takes nothing for a minute is dropped: there are only so many connections. Throws what
 * the stream throws.
 */
export async function sendItems(
  response: ServerResponse,
  items: AsyncIterable<object>,
  textOf: (item: object) => string,
): Promise<void> {
  for await (const item of items) {
    if (response.destroyed) return;
    if (!response.write(textOf(item))) await drained(response);
  }
}

async function drained(response: ServerResponse): Promise<void> {
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
