import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDockerHost } from '../../../src/runtime/docker/connection.ts';

/** A unix socket in front of an engine, whose connections can be cut as a restart of the engine cuts them. */
export class CutProxy implements AsyncDisposable {
  readonly host: string;
  readonly #sockets: Set<Socket>;
  readonly #close: () => Promise<void>;

  private constructor(host: string, sockets: Set<Socket>, close: () => Promise<void>) {
    this.host = host;
    this.#sockets = sockets;
    this.#close = close;
  }

  static async start(engineHost: string): Promise<CutProxy> {
    const address = parseDockerHost(engineHost);
    const target = 'socketPath' in address ? { path: address.socketPath } : address;
    const dir = await mkdtemp(join(tmpdir(), 'cut-proxy-'));
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(target);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket
          .on('error', () => other.destroy())
          .on('close', () => {
            sockets.delete(socket);
            other.destroy();
          });
        socket.pipe(other);
      }
    });
    const path = join(dir, 'docker.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return new CutProxy(`unix://${path}`, sockets, async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true });
    });
  }

  /** Cuts every connection that is open now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
