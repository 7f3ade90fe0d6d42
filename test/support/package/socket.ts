import { connect, createServer, type Socket } from 'node:net';
import { parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';

/** A Unix socket at `path` that leads to an engine, so that its owner and mode can be as in another system. */
export async function socketTo(engineHost: string, path: string): Promise<AsyncDisposable> {
  const address = parseDockerHost(engineHost);
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect('socketPath' in address ? { path: address.socketPath } : address);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => open.delete(socket) && other.destroy());
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
