import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type Docker from 'dockerode';
import { vi } from 'vitest';
import { connectEngine, parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { removeCgroups } from './cgroups.ts';
import { EngineEvents } from './engine-events.ts';
import { OwnNamespace, relay, signalInside } from './own-namespace.ts';
import { openRegistryRoute } from './registry-route.ts';
import { removeContainer } from './remove-container.ts';

/** How an engine is started. */
export type EngineChoice = {
  readonly liveRestore: boolean;
  /** Its daemon.json; nothing by default. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Where it listens beside its Unix socket, such as `tcp://127.0.0.1:2376` in its namespace. */
  readonly hosts?: readonly string[];
  /** Its data; in its own directory by default. */
  readonly dataRoot?: string;
};

/**
 * A Docker engine of a test's own, to be hurt: in namespaces of its own, with its own data, and with the route to the
 * registry of the test images in the test's hand. containerd runs beside it, as Debian's units have it, so that it
 * and the containers outlive a dockerd that is killed. Disposing leaves nothing, whatever state it is in.
 */
export class PrivateEngine implements AsyncDisposable {
  readonly host: string;
  readonly docker: Docker;
  readonly standInDir = undefined;
  /** Every event of every life of this engine; the engine itself forgets them when it ends. */
  readonly events: EngineEvents;
  readonly registry: TcpProxy;
  readonly #dir: string;
  readonly #namespace: OwnNamespace;
  #dockerd: ChildProcess | undefined;
  #liveRestore = false;

  private constructor(dir: string, namespace: OwnNamespace, registry: TcpProxy) {
    this.host = `unix://${join(dir, 'docker.sock')}`;
    this.docker = connectEngine(parseDockerHost(this.host));
    this.events = new EngineEvents(this.docker);
    this.registry = registry;
    this.#dir = dir;
    this.#namespace = namespace;
  }

  /** Makes all that an engine needs; `start` starts it. */
  static async open(): Promise<PrivateEngine> {
    const dir = await mkdtemp(join(tmpdir(), 'own-engine-'));
    const namespace = await OwnNamespace.open();
    const engine = new PrivateEngine(dir, namespace, await openRegistryRoute(namespace, dir));
    const home = (name: string): string => join(dir, name);
    await engine.#launch('containerd', {
      root: home('containerd'),
      state: home('containerd-state'),
      address: home('containerd.sock'),
    });
    return engine;
  }

  /** Starts dockerd, and waits until it answers. */
  async start({ config = {}, dataRoot, hosts = [], liveRestore }: EngineChoice): Promise<void> {
    const home = (name: string): string => join(this.#dir, name);
    await writeFile(home('daemon.json'), JSON.stringify({ hosts: [this.host, ...hosts], ...config }));
    this.#dockerd = await this.#launch('dockerd', {
      'config-file': home('daemon.json'),
      containerd: home('containerd.sock'),
      'data-root': dataRoot ?? home('data'),
      'exec-root': home('exec'),
      pidfile: home('dockerd.pid'),
      bridge: 'none',
      iptables: 'false',
      'cgroup-parent': `/${this.#cgroup}`,
      'live-restore': String(liveRestore),
    });
    this.#liveRestore = liveRestore;
    const ended = this.#dockerd;
    await vi.waitFor(
      async () => {
        if (ended.exitCode !== null) throw new Error(await this.#log('dockerd'));
        await this.docker.ping();
      },
      { timeout: 60_000, interval: 50 },
    );
    await this.events.follow();
  }

  /** Opens the way to a port in the engine's namespace, and answers its address here: `http://127.0.0.1:PORT`. */
  async openPort(port: number): Promise<TcpProxy> {
    const path = join(this.#dir, `${port}.sock`);
    await relay(this.#namespace, path, String(port));
    return TcpProxy.open(`unix://${path}`);
  }

  /** Lets this engine see an empty directory in place of one of the host's, as an engine from a snap package does. */
  async hide(directory: string): Promise<void> {
    const command = ['mount', '-t', 'tmpfs', 'none', directory];
    await once(this.#namespace.spawn(command, { stdio: 'ignore' }), 'exit');
  }

  /** Ends dockerd, and waits until it is gone. Nothing where it does not run. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const dockerd = this.#dockerd;
    this.#dockerd = undefined;
    if (dockerd === undefined) return;
    const ended = once(dockerd, 'exit');
    await signalInside(dockerd, signal);
    await ended;
    // A killed one leaves both behind, and the next would take a process of that number for the old one.
    await rm(join(this.#dir, 'dockerd.pid'), { force: true });
    await rm(join(this.#dir, 'docker.sock'), { force: true });
  }

  /** Has it run in this way, with no container of an earlier test in it. */
  async renew(choice: EngineChoice): Promise<void> {
    if (this.#dockerd?.exitCode !== null || this.#liveRestore !== choice.liveRestore) {
      await this.end('SIGTERM');
      await this.start(choice);
    }
    const left = await this.docker.listContainers({ all: true });
    for (const { Id } of left) await removeContainer(this.docker, Id);
  }

  /** Waits until a container's process is gone, whether or not dockerd runs to see it. */
  async processGone(pid: number): Promise<void> {
    const waiting = `while kill -0 ${pid} 2>/dev/null; do sleep 0.1; done`;
    await once(this.#namespace.spawn(['busybox', 'sh', '-c', waiting], { stdio: 'ignore' }), 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events.close();
    await this.#namespace[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
    await removeCgroups(this.#cgroup);
    await rm(this.#dir, { recursive: true, force: true });
  }

  get #cgroup(): string {
    return basename(this.#dir);
  }

  async #launch(program: string, options: Readonly<Record<string, string>>): Promise<ChildProcess> {
    await using log = await open(join(this.#dir, `${program}.log`), 'a');
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = this.#namespace.spawn([program, ...args], { stdio: ['ignore', log.fd, log.fd] });
    await once(child, 'spawn');
    return child;
  }

  async #log(program: string): Promise<string> {
    const lines = (await readFile(join(this.#dir, `${program}.log`), 'utf8')).split('\n');
    return `${program} ended:\n${lines.slice(-10).join('\n')}`;
  }
}
