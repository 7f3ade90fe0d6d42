import type { ServerResponse } from 'node:http';
import { EncodedItem, jsonOf } from '../control-api/encoded-item.ts';
import { sendItems } from '../control-api/send-items.ts';

/** A proxy or a phone's network ends a connection on which nothing comes. */
const HEARTBEAT_MS = 15_000;

/**
 * Sends a stream as server-sent events until it or the signal ends. Never throws; `failed` is what an error looks like.
 */
export async function sendEvents(
  response: ServerResponse,
  items: AsyncIterable<object>,
  signal: AbortSignal,
  failed: (thrown: unknown) => object,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    // nginx would hold events back.
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  signal.addEventListener('abort', () => response.destroy(), { once: true });
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n');
  }, HEARTBEAT_MS);
  try {
    await sendItems(response, items, frameOf);
    if (!signal.aborted) response.end('event: end\ndata: {}\n\n');
  } catch (thrown) {
    if (!signal.aborted) response.end(`event: failure\ndata: ${JSON.stringify(failed(thrown))}\n\n`);
  } finally {
    clearInterval(heartbeat);
  }
}

/** One event. An object with a `seq`, its own or its event's, is named by it, so that a reader can resume. */
export function frameOf(item: object): string {
  const seq = seqOf(item);
  return `${seq === undefined ? '' : `id: ${seq}\n`}data: ${jsonOf(item)}\n\n`;
}

function seqOf(item: object): number | undefined {
  if (item instanceof EncodedItem) return item.seq;
  if ('event' in item && typeof item.event === 'object' && item.event !== null) return seqOf(item.event);
  return 'seq' in item && typeof item.seq === 'number' ? item.seq : undefined;
}
