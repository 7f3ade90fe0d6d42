import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { vi } from 'vitest';
import { connectEngine, parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';
import { OwnNamespace, signalInside } from '../engine/own-namespace.ts';

/** This host's addresses: towards the internet and in its own network. */
export const HOST = { wan: '198.51.100.2', lan: '192.168.77.1', lan6: 'fd00:77::1' } as const;
/** What lies outside of it: a neighbour, a cloud's metadata, other closed ranges, and two hosts of the internet. */
export const OUTSIDE = {
  neighbour: '192.168.77.2',
  neighbour6: 'fd00:77::2',
  metadata: '169.254.169.254',
  shared: '100.64.0.5',
  office: '10.9.9.9',
  site: '172.31.255.5',
  benchmark: '198.18.0.5',
  internet: '203.0.113.10',
  resolver: '203.0.113.53',
} as const;
export const PORTS = { tcp: 8080, http: 80, dns: 53, mdns: 5353 } as const;

const SETUP = `set -e
mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip netns add outside
mkdir -p /run/sysfs
mount -t sysfs none /run/sysfs
ip link add wan0 type veth peer name wan1 netns outside
ip link add lan0 type veth peer name lan1 netns outside
ip address add ${HOST.wan}/24 dev wan0
ip address add ${HOST.lan}/24 dev lan0
ip address add ${HOST.lan6}/64 dev lan0 nodad
ip link set wan0 up
ip link set lan0 up
out() { ip -n outside "$@"; }
out link set lo up
out link set wan1 up
out link set lan1 up
out address add 198.51.100.1/24 dev wan1
out address add ${OUTSIDE.neighbour}/24 dev lan1
out address add ${OUTSIDE.neighbour6}/64 dev lan1 nodad
for address in ${OUTSIDE.metadata} ${OUTSIDE.shared} ${OUTSIDE.office} ${OUTSIDE.site} ${OUTSIDE.benchmark} \
  ${OUTSIDE.internet} ${OUTSIDE.resolver}; do out address add $address/32 dev lo; done
out route add 172.16.0.0/12 via ${HOST.wan} src ${OUTSIDE.internet}
ip route add default via 198.51.100.1
ip route add ${OUTSIDE.metadata} via ${OUTSIDE.neighbour} dev lan0
ip -6 route add default via ${OUTSIDE.neighbour6} dev lan0
`;

/** Sends the kernel IPCTNL_MSG_CT_DELETE for no connection in particular, as `conntrack -F` does. */
const FORGET_CONNECTIONS = `
import socket
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
netlink.send(bytes([20, 0, 0, 0, 2, 1, 5, 0] + [0] * 12))
error = int.from_bytes(netlink.recv(100)[16:20], 'little', signed=True)
if error: raise OSError(-error, 'connections not forgotten')
`;

/** Variables of the test engines look like options of the agent, which warns of unknown ones. */
export const AS_OWNER: readonly string[] = [
  '/usr/bin/env',
  ...['', '_DIR', '_SUITE'].flatMap((name) => ['-u', `SHAREDCLOUD_ENGINE${name}`]),
];

/** What a command said, and how it ended. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A command of the agent that runs on. */
export type Following = AsyncDisposable & {
  /** Its log so far. */
  readonly lines: readonly string[];
  /** Asks it to end, and answers its exit code. */
  readonly end: () => Promise<number | null>;
};

/**
 * A host of a test's own in namespaces of its own, with an engine, an uplink to an internet and a home network, whose
 * hosts answer on PORTS and tell who came. Disposing leaves nothing. Needs root.
 */
export class TestHost implements AsyncDisposable {
  readonly docker: Docker;
  /** As `--docker-host` takes it. */
  readonly dockerHost: string;
  readonly #dir: string;
  readonly #namespace: OwnNamespace;
  readonly #contacts: string[] = [];
  #dockerd: ChildProcess | undefined;

  private constructor(dir: string, namespace: OwnNamespace) {
    this.#dir = dir;
    this.#namespace = namespace;
    this.dockerHost = `unix://${join(dir, 'docker.sock')}`;
    this.docker = connectEngine(parseDockerHost(this.dockerHost));
  }

  static async open(): Promise<TestHost> {
    const dir = await mkdtemp(join(tmpdir(), 'own-host-'));
    await writeFile(join(dir, 'daemon.json'), '{}');
    const host = new TestHost(dir, await OwnNamespace.open());
    try {
      await host.sh(SETUP);
      await host.startEngine();
      await host.#listen('host', []);
      await host.#listen('outside', ['ip', 'netns', 'exec', 'outside']);
      return host;
    } catch (thrown) {
      await host[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Where this host's own sysfs is for the test, whose network is another. */
  get sysfs(): string {
    return this.#namespace.path('/run/sysfs');
  }

  /** Runs a command on this host. */
  async run(command: readonly string[]): Promise<Ran> {
    const child = this.#namespace.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    const ended = once(child, 'close');
    const [out, said] = await Promise.all([text(stdout), text(stderr)]);
    await ended;
    return { code: child.exitCode, stdout: out, stderr: said };
  }

  /** Runs a shell script on this host, which must go well; answers what it printed. */
  async sh(script: string): Promise<string> {
    const { code, stderr, stdout } = await this.run(['sh', '-c', script]);
    if (code !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  }

  /** Does something while the jobs' network is without its rules, which are put back as they were. */
  async withoutRules<T>(work: () => Promise<T>): Promise<T> {
    const tables = ['inet sharedcloud', 'bridge sharedcloud'];
    const each = (verb: string): string => tables.map((table) => `nft ${verb} table ${table}`).join('; ');
    const rules = await this.sh(each('list'));
    await this.sh(each('delete'));
    try {
      return await work();
    } finally {
      const away = tables.map((table) => `table ${table} {}\ndelete table ${table}`).join('\n');
      await this.sh(`nft -f - <<'RULES'\n${away}\n${rules}\nRULES`);
    }
  }

  /** Runs the agent's command `network` on this host. */
  network(...args: readonly string[]): Promise<Ran> {
    return this.agent('network', ...args, '--docker-host', this.dockerHost);
  }

  /** Runs the agent on this host. */
  agent(...args: readonly string[]): Promise<Ran> {
    const main = new URL('../../../src/main.ts', import.meta.url).pathname;
    return this.run([...AS_OWNER, process.execPath, main, ...args]);
  }

  /** The same for `network up`, which must go well. */
  async up(...options: readonly string[]): Promise<void> {
    const { code, stderr } = await this.network('up', ...options);
    if (code !== 0) throw new Error(stderr);
  }

  /** Starts the agent's command `network log` with a log in this directory; it runs until it is disposed of. */
  logConnections(directory: string): Promise<Following> {
    const options = ['--job-traffic-log', 'on', '--job-traffic-log-dir', directory];
    return this.follow(['network', 'log', ...options], 'traffic-log-started');
  }

  /** Starts a command of the agent that runs until it is asked to end, and waits for an event in its log. */
  async follow(args: readonly string[], event: string): Promise<Following> {
    const main = new URL('../../../src/main.ts', import.meta.url).pathname;
    const command = [...AS_OWNER, process.execPath, main, ...args, '--log-format', 'json'];
    const child = this.#namespace.spawn(command, { stdio: ['ignore', 'ignore', 'pipe'] });
    if (child.stderr === null) throw new Error('no pipe');
    const lines: string[] = [];
    const ended = once(child, 'exit');
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    await vi.waitFor(
      () => {
        if (!lines.some((line) => line.includes(event))) throw new Error(lines.join('\n'));
      },
      { timeout: 30_000, interval: 50 },
    );
    const end = async (): Promise<number | null> => {
      if (child.exitCode === null) await signalInside(child, 'SIGTERM');
      await ended;
      return child.exitCode;
    };
    return { lines, end, [Symbol.asyncDispose]: async () => void (await end()) };
  }

  /** Has the kernel forget every connection of this host, which it keeps for minutes after their end. */
  async forgetConnections(): Promise<void> {
    const { code, stderr } = await this.run(['python3', '-c', FORGET_CONNECTIONS]);
    if (code !== 0) throw new Error(stderr);
  }

  /** Imports one of the tars that images.sh keeps, under this name and with the platform's command. */
  importImage(tar: 'busybox' | 'debian' | 'node', ref: string, command: readonly string[]): void {
    const engine = process.env['SHAREDCLOUD_ENGINE_DIR'] ?? join(tmpdir(), 'sharedcloud-agent-engine');
    const changes = [`CMD ${JSON.stringify(command)}`, 'ENV PATH=/usr/local/bin:/usr/bin:/bin'];
    const options = changes.flatMap((change) => ['--change', change]);
    const { status, stderr } = spawnSync(
      'docker',
      ['--host', this.dockerHost, 'import', ...options, join(engine, 'tars', `${tar}.tar`), ref],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
  }

  async startEngine(): Promise<void> {
    const home = (name: string): string => join(this.#dir, name);
    const files = [
      ['--config-file', 'daemon.json'],
      ['--data-root', 'data'],
      ['--exec-root', 'exec'],
      ['--pidfile', 'dockerd.pid'],
    ] as const;
    await using log = await open(home('dockerd.log'), 'a');
    const dockerd = this.#namespace.spawn(
      ['dockerd', '--host', this.dockerHost, ...files.flatMap(([option, name]) => [option, home(name)])],
      { stdio: ['ignore', log.fd, log.fd] },
    );
    this.#dockerd = dockerd;
    await vi.waitFor(
      async () => {
        if (dockerd.exitCode !== null) throw new Error(await readFile(home('dockerd.log'), 'utf8'));
        await this.docker.ping();
      },
      { timeout: 60_000, interval: 50 },
    );
  }

  async endEngine(): Promise<void> {
    const dockerd = this.#dockerd;
    if (dockerd === undefined) return;
    const ended = once(dockerd, 'exit');
    await signalInside(dockerd, 'SIGTERM');
    await ended;
  }

  /**
   * Has a server of the internet listen on a port: it sends the count of bytes that the first line of a connection
   * asks for, and one more once it has received the `.` that ends what a client sends.
   */
  async serveBytes(port: number): Promise<void> {
    const program = `require('net').createServer((socket) => {
      let asked;
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        if (asked === undefined) socket.write(Buffer.alloc((asked = parseInt(bytes.toString('latin1', 0, 20)))));
        if (bytes.at(-1) === 46) socket.end('.');
      });
    }).listen(${port}, '0.0.0.0', () => console.log('ready'))`;
    const enter = ['ip', 'netns', 'exec', 'outside'];
    const child = this.#namespace.spawn([...enter, process.execPath, '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('no pipe');
    await once(child.stdout, 'data');
  }

  /** Who came to this host and to those outside since the last call: `outside tcp 8080 203.0.113.10`. */
  contacts(): readonly string[] {
    return this.#contacts.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What it started has ended by itself then, cgroups included; a hurt engine ends with its namespace.
    await this.endEngine();
    await this.#namespace[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #listen(name: string, enter: readonly string[]): Promise<void> {
    const program = new URL('listener.ts', import.meta.url).pathname;
    const child = this.#namespace.spawn(
      [...enter, process.execPath, program, ...Object.values(PORTS).map(String)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (child.stdout === null) throw new Error('no pipe');
    const ready = Promise.withResolvers<void>();
    child.once('exit', (code) => ready.reject(new Error(`the listener ended with ${code}`)));
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'ready') ready.resolve();
      else this.#contacts.push(`${name} ${line}`);
    });
    await ready.promise;
  }
}
