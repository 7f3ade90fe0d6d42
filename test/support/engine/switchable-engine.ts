import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';

/**
 * The way to an engine that only its owner sees: it can end, as the engine's socket does while the engine is away, or
 * lead to somebody who never answers. Connections that are open stay.
 */
export class SwitchableEngine implements AsyncDisposable {
  readonly host: string;
  readonly #directory: string;
  readonly #socket: string;
  readonly #real: string;
  readonly #deafSocket: string;
  readonly #deaf: Server;
  readonly #callers = new Set<Socket>();

  private constructor(directory: string, real: string) {
    this.#directory = directory;
    this.#socket = join(directory, 'docker.sock');
    this.#real = real;
    this.#deafSocket = join(directory, 'deaf.sock');
    this.host = `unix://${this.#socket}`;
    this.#deaf = createServer((caller) => {
      this.#callers.add(caller.resume().on('error', () => caller.destroy()));
    });
  }

  static async start(engineHost: string): Promise<SwitchableEngine> {
    const address = parseDockerHost(engineHost);
    if (!('socketPath' in address)) throw new Error(`${engineHost} is no unix socket`);
    const engine = new SwitchableEngine(
      await mkdtemp(join(tmpdir(), 'switchable-engine-')),
      address.socketPath,
    );
    await new Promise<void>((resolve) => engine.#deaf.listen(engine.#deafSocket, resolve));
    await engine.comeBack();
    return engine;
  }

  async leave(): Promise<void> {
    await rm(this.#socket, { force: true });
  }

  async deafen(): Promise<void> {
    await this.leave();
    await symlink(this.#deafSocket, this.#socket);
  }

  async comeBack(): Promise<void> {
    await this.leave();
    await symlink(this.#real, this.#socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const caller of this.#callers) caller.destroy();
    await new Promise((resolve) => this.#deaf.close(resolve));
    await rm(this.#directory, { recursive: true });
  }
}
