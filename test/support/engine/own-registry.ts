import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { freePort } from '../faults/listen.ts';
import type { TestEngine } from './find-engine.ts';

export const REGISTRY_USER = 'agent';
export const REGISTRY_PASSWORD = 'registry-password-1';

/** The line of `htpasswd -B` for them. */
const HTPASSWD = `${REGISTRY_USER}:$2b$05$abcdefghijklmnopqrstuurll8UgPLh3aedURAqZbpEzxSpQrnxse\n`;

/** A registry that asks for a password, or a mirror that passes on what the registry at an URL has. */
type RegistryKind = { readonly kind: 'private' } | { readonly kind: 'mirror'; readonly of: string };

/** A real docker-registry, where the tests run. */
export class OwnRegistry implements AsyncDisposable {
  readonly host: string;
  readonly #end: () => Promise<void>;

  private constructor(host: string, end: () => Promise<void>) {
    this.host = host;
    this.#end = end;
  }

  static async start(choice: RegistryKind): Promise<OwnRegistry> {
    const dir = await mkdtemp(join(tmpdir(), 'registry-'));
    const port = await freePort();
    await writeFile(join(dir, 'htpasswd'), HTPASSWD);
    const own =
      choice.kind === 'private'
        ? { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } }
        : { proxy: { remoteurl: choice.of } };
    const config = {
      version: 0.1,
      log: { level: 'warn' },
      storage: { filesystem: { rootdirectory: join(dir, 'data') } },
      http: { addr: `127.0.0.1:${port}` },
      ...own,
    };
    // JSON is YAML.
    await writeFile(join(dir, 'config.yml'), JSON.stringify(config));
    const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
    await once(child, 'spawn');
    const end = async (): Promise<void> => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await rm(dir, { recursive: true, force: true });
    };
    await vi.waitFor(() => answers(port), 20_000);
    return new OwnRegistry(`localhost:${port}`, end);
  }

  /** Copies an image of the engine to this registry, and leaves none of its names at the engine. */
  async push(engine: TestEngine, image: string, name: string): Promise<string> {
    const repo = `${this.host}/${name}`;
    await engine.docker.getImage(image).tag({ repo, tag: 'latest' });
    const authconfig = { username: REGISTRY_USER, password: REGISTRY_PASSWORD, serveraddress: this.host };
    const progress = await engine.docker.getImage(repo).push({ tag: 'latest', authconfig });
    await new Promise<void>((resolve, reject) => {
      engine.docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error)));
    });
    await engine.docker.getImage(`${repo}:latest`).remove();
    return `${repo}:latest`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
