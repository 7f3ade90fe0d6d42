import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { REGISTRY } from './find-engine.ts';
import type { OwnNamespace } from './own-namespace.ts';

const PORT = Number(REGISTRY.split(':')[1]);
const ENTRANCE = join(import.meta.dirname, 'registry-entrance.ts');

/**
 * The route from a namespace to the registry of the test images: there it is found under its own name, and whatever
 * comes over it can be held up and cut.
 */
export class RegistryRoute implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #bytes = 0;
  #holdAfter = Number.POSITIVE_INFINITY;
  #closed = false;

  private constructor() {
    this.#server = createServer((near) => this.#take(near));
  }

  /** `dir` is where its socket lies. */
  static async open(namespace: OwnNamespace, dir: string): Promise<RegistryRoute> {
    const route = new RegistryRoute();
    const path = join(dir, 'registry.sock');
    await new Promise<void>((resolve) => route.#server.listen(path, resolve));
    const doorway = namespace.spawn([process.execPath, ENTRANCE, String(PORT), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (doorway.stdout !== null) await once(doorway.stdout, 'data');
    return route;
  }

  /** How many bytes have come from the registry. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lets that many more bytes through, and then none until `release`. */
  holdAfter(bytes: number): void {
    this.#holdAfter = this.#bytes + bytes;
  }

  /** Whether it is held up now. */
  get held(): boolean {
    return this.#bytes >= this.#holdAfter;
  }

  release(): void {
    this.#holdAfter = Number.POSITIVE_INFINITY;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Ends every connection, and refuses new ones, as a registry that died. */
  cut(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets connections through again. */
  restore(): void {
    this.#closed = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(near: Socket): void {
    if (this.#closed) return void near.destroy();
    const far = connect(PORT, 'localhost');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket
        .on('error', () => other.destroy())
        .on('close', () => {
          this.#sockets.delete(socket);
          // What was sent before the end still arrives.
          other.destroySoon();
        });
    }
    near.pipe(far);
    far.on('data', (chunk) => {
      this.#bytes += chunk.length;
      near.write(chunk);
      if (this.held) far.pause();
    });
  }
}
