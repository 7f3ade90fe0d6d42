import type { ServerResponse } from 'node:http';
import type { RunList } from '../store/run-list.ts';

/**
 * AdmissionControl a call until the list has left `version`, `seconds` are over, or the connection has ended. Leaves no timer
 * and no listener behind.
 */
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
