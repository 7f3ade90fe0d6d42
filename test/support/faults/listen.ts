import { createServer, type Server } from 'node:net';

/** Listens on a port of the loopback, 0 for a free one, or at the path of a Unix socket. Answers the port; 0 for a path. */
export async function listen(server: Server, at: number | string = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (typeof at === 'string') server.listen(at, resolve);
    else server.listen(at, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Resolves when no connection is left. */
export async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** A port of the loopback that was free a moment ago, for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await close(server);
  return port;
}
