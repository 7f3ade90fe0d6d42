import type { ServerResponse } from 'node:http';
import type { RunList } from '../store/run-list.ts';

/** Holds a call until the list has another version, `seconds` are over, or the connection is closed. */
export async function holdUntilChanged(
  list: RunList,
  version: number,
  seconds: number,
  client: ServerResponse,
): Promise<void> {
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  const timer = setTimeout(end, seconds * 1000);
  client.once('close', end);
  if (client.destroyed) end();
  await list.changed(version, over.signal);
  clearTimeout(timer);
  client.off('close', end);
}
