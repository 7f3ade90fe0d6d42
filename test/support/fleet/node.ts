import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { vi } from 'vitest';
import { connectEngine, parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';
import { EngineEvents } from '../engine/engine-events.ts';
import { OwnNamespace } from '../engine/own-namespace.ts';

const run = promisify(execFile);

/** The user of the agent in its image. */
const AGENT = 10_001;

/** What a node needs of the fleet. */
export type NodePlace = {
  /** The namespace with the bridge to which all nodes are connected. */
  readonly hub: OwnNamespace;
  readonly gateway: string;
  /** Where the fleet keeps its files, and below which of the host's control groups its containers are. */
  readonly directory: string;
  readonly cgroup: string;
};

/**
 * One machine of a fleet: a network with one cable, processes and mounts of its own, and a disk that outlives them. All
 * nodes share this host's kernel and programs.
 */
export class FleetNode implements AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly docker: Docker;
  /** What its engine did to containers, in all of its lives. */
  readonly events: EngineEvents;
  readonly #place: NodePlace;
  readonly #dir: string;
  #namespace: OwnNamespace | undefined;

  constructor(place: NodePlace, name: string, address: string) {
    this.name = name;
    this.address = address;
    this.#place = place;
    this.#dir = join(place.directory, name);
    this.docker = connectEngine(parseDockerHost(this.host));
    this.events = new EngineEvents(this.docker);
  }

  /** As `--docker-host` takes it, from outside of the node. */
  get host(): string {
    return `unix://${join(this.#dir, 'docker.sock')}`;
  }

  /** The agent's state directory, by its path outside of the node. */
  get stateDir(): string {
    return join(this.#dir, 'state');
  }

  get isUp(): boolean {
    return this.#namespace !== undefined;
  }

  /** Switches it on, and waits until its engine answers. */
  async boot(): Promise<void> {
    await mkdir(this.stateDir, { recursive: true });
    const namespace = await OwnNamespace.open();
    this.#namespace = namespace;
    const { cgroup, gateway } = this.#place;
    await this.#hubLink(`add ${this.name} type veth peer name eth0 netns ${namespace.pid}`);
    await this.#hubLink(`set ${this.name} master fleet up`);
    await this.sh(`set -e
      mount -t tmpfs none /run
      mount -t tmpfs none /var/lib
      mkdir /var/lib/sharedcloud-agent
      chown ${AGENT}:${AGENT} ${this.stateDir}
      chmod 700 ${this.stateDir}
      mount --bind ${this.stateDir} /var/lib/sharedcloud-agent
      ip address add ${this.address}/24 dev eth0
      ip link set eth0 up
      ip route add default via ${gateway}`);
    const options = [
      `--data-root=${join(this.#dir, 'data')} --exec-root=/run/docker-engine --pidfile=/run/dockerd.pid`,
      `--host=${this.host} --host=unix:///run/docker.sock --cgroup-parent=/${cgroup}/${this.name}`,
    ].join(' ');
    // The images are here, and there is no registry to ask for newer ones.
    const command = `hostname ${this.name} && DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1 exec dockerd ${options}`;
    await using log = await open(join(this.#dir, 'dockerd.log'), 'a');
    const dockerd = namespace.spawn(['unshare', '--uts', 'sh', '-c', command], {
      stdio: ['ignore', log.fd, log.fd],
    });
    await vi.waitFor(() => this.#answers(dockerd), { timeout: 60_000, interval: 100 });
    await this.events.follow();
  }

  /** Takes its power: every process ends at once, and all that is not on its disk is gone. */
  async crash(): Promise<void> {
    const namespace = this.#namespace;
    this.#namespace = undefined;
    if (namespace === undefined) return;
    await this.#hubLink(`delete ${this.name}`);
    await namespace[Symbol.asyncDispose]();
  }

  /** Runs a shell script on it, which must go well; answers what it printed. */
  async sh(script: string): Promise<string> {
    const child = this.#namespace?.spawn(['sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    if (child?.stdout == null || child.stderr === null) throw new Error(`${this.name} is switched off`);
    const ended = once(child, 'close');
    const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
    await ended;
    if (child.exitCode !== 0) throw new Error(`${this.name}: ${script}: ${said}`);
    return out;
  }

  /** Loses, or finds again, its way to other nodes and theirs to it; all else stays. */
  async route(verb: 'add' | 'delete', others: readonly FleetNode[]): Promise<void> {
    for (const { address } of others) await this.sh(`ip route ${verb} blackhole ${address}`);
  }

  /** Runs the docker command with its engine; answers what it printed, on both streams. */
  async cli(...args: readonly string[]): Promise<string> {
    const { stderr, stdout } = await run('docker', ['--host', this.host, ...args], { maxBuffer: 1e8 });
    return `${stdout}${stderr}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events.close();
    await this.crash();
  }

  /** Changes a cable at the hub, whose processes see no others: only its network is entered. */
  async #hubLink(change: string): Promise<void> {
    const command = ['ip', 'link', ...change.split(' ')];
    await run('nsenter', ['--target', this.#place.hub.pid, '--net', ...command]);
  }

  async #answers(dockerd: ChildProcess): Promise<void> {
    if (dockerd.exitCode === null) return void (await this.docker.ping());
    const lines = (await readFile(join(this.#dir, 'dockerd.log'), 'utf8')).split('\n');
    throw new Error(`the engine of ${this.name} ended:\n${lines.slice(-10).join('\n')}`);
  }
}
