import { EncodedItem, jsonOf } from '../control-api/encoded-item.ts';

/** Frames a stream as server-sent events. An object with a `seq`, its own or its event's, is named by it, so that a reader can resume. */
export async function* sseFrames(items: AsyncIterable<object>): AsyncGenerator<string, void> {
  yield 'retry: 1000\n\n';
  for await (const item of items) {
    const seq = seqOf(item);
    yield `${seq === undefined ? '' : `id: ${seq}\n`}data: ${jsonOf(item)}\n\n`;
  }
}

function seqOf(item: object): number | undefined {
  if (item instanceof EncodedItem) return item.seq;
  if ('event' in item && typeof item.event === 'object' && item.event !== null) return seqOf(item.event);
  return 'seq' in item && typeof item.seq === 'number' ? item.seq : undefined;
}
