import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { z } from 'zod';
import { removeCgroups } from '../engine/cgroups.ts';
import { OwnNamespace, relay } from '../engine/own-namespace.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { FleetNode, type NodePlace } from './node.ts';

const run = promisify(execFile);

/** The hub's address, at which the broker is for all nodes. */
const HUB = '10.90.0.1';
const BROKER_PORT = 8000;
const MANAGERS = ['manager1', 'manager2', 'manager3'];
const WORKERS = ['worker1', 'worker2'];
const STACK = resolve(import.meta.dirname, '../../../packaging/swarm/stack.yml');
const LONG = { timeout: 120_000, interval: 200 };

const NODES = z.array(
  z.object({
    ID: z.string(),
    Description: z.object({ Hostname: z.string() }),
    Status: z.object({ State: z.string() }),
    ManagerStatus: z.object({ Leader: z.boolean().optional() }).optional(),
  }),
);
const SERVICE = z.object({
  Version: z.object({ Index: z.number() }),
  UpdateStatus: z.object({ State: z.string(), StartedAt: z.string() }).optional(),
});
const TASKS = z.array(
  z.object({
    NodeID: z.string(),
    DesiredState: z.string(),
    Status: z.object({
      State: z.string(),
      Err: z.string().optional(),
      ContainerStatus: z.object({ ContainerID: z.string() }).optional(),
    }),
    Spec: z.object({ ContainerSpec: z.object({ Image: z.string() }) }),
  }),
);

/** What a deployment has in place of what `stack.yml` says; waits are short in all of them. */
export type Deployment = {
  readonly image: string;
  /** The image of the service `network`. */
  readonly network: string;
  /** Merged into the service `agent`, as a second stack file is. */
  readonly agent?: Readonly<Record<string, unknown>>;
};

export type Task = z.infer<typeof TASKS>[number];

/**
 * A Docker Swarm of three managers and two workers, each an engine in namespaces of its own, and a broker that all
 * reach. Disposing leaves nothing. Needs root.
 */
export class Fleet implements AsyncDisposable {
  readonly managers: readonly FleetNode[];
  readonly workers: readonly FleetNode[];
  readonly #place: NodePlace;
  readonly #broker: TcpProxy;

  private constructor(place: NodePlace, broker: TcpProxy) {
    this.#place = place;
    this.#broker = broker;
    const node = (name: string, index: number): FleetNode =>
      new FleetNode(place, name, HUB.replace(/1$/, String(10 + index)));
    this.managers = MANAGERS.map(node);
    this.workers = WORKERS.map((name, index) => node(name, MANAGERS.length + index));
  }

  /** Starts all nodes, loads the images of a tar into the workers, and joins them to a swarm. */
  static async open(options: {
    readonly broker: string;
    readonly token: string;
    /** The agents' configuration file. */
    readonly config: string;
    /** Makes the tar of the images at this path, while the nodes start. */
    readonly makeImages: (tar: string) => Promise<void>;
  }): Promise<Fleet> {
    const directory = await mkdtemp(join(tmpdir(), 'fleet-'));
    const hub = await OwnNamespace.open();
    const socket = join(directory, 'broker.sock');
    const broker = await TcpProxy.open(options.broker, socket);
    const fleet = new Fleet({ hub, gateway: HUB, directory, cgroup: basename(directory) }, broker);
    try {
      const links = `ip link add fleet type bridge && ip address add ${HUB}/24 dev fleet && ip link set fleet up`;
      await once(hub.spawn(['sh', '-c', links], { stdio: 'inherit' }), 'exit');
      await relay(hub, `${HUB}:${BROKER_PORT}`, socket);
      await mkdir(fleet.#stackDirectory);
      await copyFile(STACK, join(fleet.#stackDirectory, 'stack.yml'));
      await fleet.configure(options.config);
      const images = join(directory, 'images.tar');
      await Promise.all([
        options.makeImages(images),
        ...[...fleet.managers, ...fleet.workers].map((node) => node.boot()),
      ]);
      await Promise.all([
        fleet.#join(options.token),
        ...fleet.workers.map((node) => node.cli('load', '--quiet', '--input', images)),
      ]);
      await rm(images);
      return fleet;
    } catch (thrown) {
      await fleet[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** A manager that is switched on. */
  get manager(): FleetNode {
    const found = this.managers.find(({ isUp }) => isUp);
    if (found === undefined) throw new Error('no manager is switched on');
    return found;
  }

  /** The manager that leads; waits while they elect one. */
  async leader(): Promise<FleetNode> {
    const name = await vi.waitFor(async () => {
      const nodes = await this.nodes();
      const leader = nodes.find(({ ManagerStatus }) => ManagerStatus?.Leader)?.Description.Hostname;
      if (leader === undefined) throw new Error('no manager leads');
      return leader;
    }, LONG);
    const node = this.managers.find((manager) => manager.name === name);
    if (node === undefined) throw new Error(`${name} is no manager`);
    return node;
  }

  /** The nodes as the managers see them. */
  async nodes(): Promise<z.infer<typeof NODES>> {
    return NODES.parse(await this.manager.docker.listNodes());
  }

  /** Waits until the managers see a node in this state: `ready` or `down`. */
  async untilSeen(node: FleetNode, state: string): Promise<void> {
    await vi.waitFor(async () => {
      const seen = (await this.nodes()).find(({ Description }) => Description.Hostname === node.name);
      if (seen?.Status.State !== state) throw new Error(`${node.name} is ${seen?.Status.State}`);
    }, LONG);
  }

  /** Writes the agents' configuration file, for the next deployment with a new version. */
  async configure(config: string): Promise<void> {
    const address = `broker-url = "http://${HUB}:${BROKER_PORT}"\n`;
    await writeFile(join(this.#stackDirectory, 'config.toml'), `${address}${config}`);
  }

  /** Deploys the stack as docs/fleet.md has it; `untilUpdated` waits for what comes of it. */
  async deploy({ agent, image, network }: Deployment): Promise<void> {
    const quick = { monitor: '3s' };
    const deploy = {
      update_config: quick,
      rollback_config: { monitor: '1s' },
      restart_policy: { delay: '1s' },
    };
    const healthcheck = { interval: '1s', start_period: '5s' };
    const override = {
      version: '3.8',
      services: {
        agent: { image, healthcheck, deploy, ...agent },
        network: { image: network, healthcheck, deploy },
      },
    };
    // JSON is YAML.
    await writeFile(join(this.#stackDirectory, 'test.yml'), JSON.stringify(override));
    const gid = (await this.workers[0]?.sh('stat -c %g /var/run/docker.sock')) ?? '';
    const files = ['-c', 'stack.yml', '-c', 'test.yml'];
    const command = ['stack', 'deploy', '--resolve-image', 'never', ...files, 'sharedcloud'];
    await run('docker', ['--host', this.manager.host, ...command], {
      cwd: this.#stackDirectory,
      env: { ...process.env, DOCKER_GID: gid.trim(), AGENT_CONFIG_VERSION: '1', AGENT_TOKEN_VERSION: '1' },
    });
  }

  /** Waits until the update that runs has ended, and answers how: `completed` or `rollback_completed`. */
  async untilUpdated(service = 'agent'): Promise<string> {
    return vi.waitFor(async () => {
      const { UpdateStatus } = await this.#service(service);
      const state = UpdateStatus?.State ?? 'none';
      if (!['completed', 'rollback_completed', 'paused', 'rollback_paused'].includes(state))
        throw new Error(`the update is ${state}`);
      return state;
    }, LONG);
  }

  /** The tasks of a service, newest first. */
  async tasks(service = 'agent'): Promise<readonly Task[]> {
    const filters = JSON.stringify({ service: [`sharedcloud_${service}`] });
    return TASKS.parse(await this.manager.docker.listTasks({ filters }));
  }

  /** The images of the agents that run, by node; waits until there is one on each worker. */
  async runningImages(): Promise<readonly string[]> {
    return vi.waitFor(async () => {
      const running = (await this.tasks()).filter(
        ({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running',
      );
      if (running.length !== this.workers.length) throw new Error(`${running.length} agents run`);
      return running.map(({ Spec }) => Spec.ContainerSpec.Image);
    }, LONG);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of [...this.workers, ...this.managers]) await node[Symbol.asyncDispose]();
    await this.#place.hub[Symbol.asyncDispose]();
    await this.#broker[Symbol.asyncDispose]();
    await removeCgroups(this.#place.cgroup);
    await rm(this.#place.directory, { recursive: true, force: true });
  }

  get #stackDirectory(): string {
    return join(this.#place.directory, 'stack');
  }

  async #service(name: string): Promise<z.infer<typeof SERVICE>> {
    return SERVICE.parse(await this.manager.docker.getService(`sharedcloud_${name}`).inspect());
  }

  async #join(token: string): Promise<void> {
    const [first, ...others] = this.managers;
    if (first === undefined) return;
    const at = `${first.address}:2377`;
    await first.cli('swarm', 'init', '--advertise-addr', first.address, '--dispatcher-heartbeat', '2s');
    const join = async (node: FleetNode, role: string): Promise<void> => {
      const key = (await first.cli('swarm', 'join-token', '--quiet', role)).trim();
      await node.cli('swarm', 'join', '--token', key, '--advertise-addr', node.address, at);
    };
    for (const node of others) await join(node, 'manager');
    for (const node of this.workers) await join(node, 'worker');
    for (const { name } of this.workers)
      await first.cli('node', 'update', '--label-add', 'sharedcloud=yes', name);
    await first.docker.createSecret({
      Name: 'sharedcloud-token-1',
      Data: Buffer.from(token).toString('base64'),
    });
  }
}
