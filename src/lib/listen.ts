import type { ListenOptions, Server } from 'node:net';

/** Listens. Throws the system's error where it cannot; what fails later concerns one connection, and ends no process. */
export async function listen(server: Server, at: ListenOptions): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(at, resolve);
  await promise;
  server.off('error', reject);
  server.on('error', () => undefined);
}
