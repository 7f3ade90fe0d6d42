import type Docker from 'dockerode';
import { z } from 'zod';
import type { ContainerNetworkUse, Traffic } from '../../../domain/network-use.ts';
import { SingleFlight } from '../../../lib/single-flight.ts';
import { sleep } from '../../../lib/sleep.ts';
import { type ContainerState, readState } from '../container/state.ts';
import { callEngine } from '../engine/call.ts';
import { interfaceBehind, isOwnSysfs, SYSFS, trafficOf } from './bridge-ports.ts';
import { BRIDGE_NAME, NETWORK_NAME } from './network-spec.ts';

const NO_TRAFFIC: Traffic = { sentBytes: 0, receivedBytes: 0 };

/** How often, and after how many milliseconds, a container is inspected again while the engine starts it. */
const MAX_EARLY_TRIES = 5;
const EARLY_MS = 5;

/** The bridge of each network that a job may get. */
const BRIDGES: ReadonlyMap<string, string> = new Map([
  [NETWORK_NAME, BRIDGE_NAME],
  ['bridge', 'docker0'],
]);

const INSPECTED = z.object({
  NetworkSettings: z.object({
    Networks: z.record(z.string(), z.object({ IPAddress: z.string(), MacAddress: z.string() })).nullish(),
  }),
});

const BYTES = z.int().nonnegative();

const STATS = z.object({
  networks: z.record(z.string(), z.object({ rx_bytes: BYTES, tx_bytes: BYTES })).optional(),
});

/** A container's place in the network, as far as it is known. */
type Tracked = {
  readonly address: string | null;
  readonly hardwareAddress: string;
  /** Undefined: the kernel of this process does not know its bridge, so the engine is asked. */
  readonly bridge: string | undefined;
  /** The interface at this host's end, once the bridge has heard of the container. */
  port: string | undefined;
  traffic: Traffic | null;
  /** Its state when it was inspected. */
  readonly state: ContainerState;
};

/**
 * Counts what containers send and receive, without root: from the kernel's counters of this host's end of their
 * interfaces where sysfs shows it, else from the engine, which is up to two seconds late and silent after the exit.
 */
export class ContainerTraffic {
  readonly #docker: Docker;
  readonly #ms: number;
  readonly #sysfs: string;
  readonly #tracked = new Map<string, Tracked>();
  /** Containers that this process has started, of which the kernel has counted every byte. */
  readonly #fresh = new Set<string>();
  readonly #flights = new SingleFlight<Tracked | undefined>();

  /** `ms`: the deadline of a call to the engine, in milliseconds. */
  constructor(docker: Docker, ms: number, sysfs: string = SYSFS) {
    this.#docker = docker;
    this.#ms = ms;
    this.#sysfs = sysfs;
  }

  /**
   * Begins to count for a container whose start has been asked for. The engine answers an inspection behind the start that
   * it is busy with, so one that is asked meanwhile finds the address also of a container that exits at once. Answers the
   * state that it found after the start; undefined: it found none.
   */
  async track(id: string, start: Promise<unknown>): Promise<ContainerState | undefined> {
    this.#fresh.add(id);
    const over = new AbortController();
    const ended = start.catch(() => undefined).then(() => over.abort());
    const find = (): Promise<Tracked | undefined> => this.#find(id).catch(() => undefined);
    for (let tries = 0; tries < MAX_EARLY_TRIES && !over.signal.aborted; tries += 1) {
      // One that comes before the start shows nothing.
      await sleep(EARLY_MS, over.signal);
      const found = await find();
      if (found !== undefined) return found.state;
    }
    await ended;
    return (await find())?.state;
  }

  /** Reads the kernel's counters now, before the container's interface goes away. */
  sample(id: string): void {
    const tracked = this.#tracked.get(id);
    if (tracked === undefined) {
      void this.#find(id).catch(() => undefined);
      return;
    }
    this.#read(id, tracked);
  }

  /** As `Runtime.networkUse`. */
  async use(id: string, when: AbortSignal | 'last'): Promise<ContainerNetworkUse | undefined> {
    try {
      const tracked = when === 'last' ? this.#tracked.get(id) : await this.#find(id, when);
      if (tracked === undefined) return undefined;
      if (when !== 'last' && !this.#read(id, tracked)) await this.#askEngine(id, tracked, when);
      return { address: tracked.address, traffic: tracked.traffic };
    } catch {
      // The engine is unreachable, or the container is gone: what was read before is all that is known.
      const last = this.#tracked.get(id);
      return last && { address: last.address, traffic: last.traffic };
    }
  }

  forget(id: string): void {
    this.#fresh.delete(id);
    this.#tracked.delete(id);
  }

  async #find(id: string, signal?: AbortSignal): Promise<Tracked | undefined> {
    return this.#tracked.get(id) ?? this.#flights.run(id, (over) => this.#inspect(id, over), signal);
  }

  async #inspect(id: string, signal: AbortSignal): Promise<Tracked | undefined> {
    const call = { action: `inspect container ${id}`, ms: this.#ms, signal };
    const inspected = await callEngine(call, (abortSignal) =>
      this.#docker.getContainer(id).inspect({ abortSignal }),
    );
    const { NetworkSettings } = INSPECTED.parse(inspected);
    const [[network, at] = ['none', undefined], ...more] = Object.entries(NetworkSettings.Networks ?? {});
    const isOffline = network === 'none' && more.length === 0;
    const state = readState(inspected.State);
    if (state.name === 'created') return undefined;
    // Before the start there is no address yet, and after the exit the engine has taken it back.
    if (!isOffline && (at === undefined || at.IPAddress === '')) return undefined;
    const tracked: Tracked = {
      address: isOffline || at === undefined ? null : at.IPAddress,
      hardwareAddress: at?.MacAddress ?? '',
      bridge: BRIDGES.get(network),
      port: undefined,
      traffic: isOffline ? NO_TRAFFIC : null,
      state,
    };
    this.#tracked.set(id, tracked);
    this.#read(id, tracked);
    return tracked;
  }

  /** Whether the kernel has answered, also that the container has sent nothing yet. */
  #read(id: string, tracked: Tracked): boolean {
    if (tracked.address === null) return true;
    const { bridge, hardwareAddress } = tracked;
    if (bridge === undefined) return false;
    try {
      if (tracked.port === undefined && this.#sysfs === SYSFS && !isOwnSysfs()) return false;
      tracked.port ??= interfaceBehind(bridge, hardwareAddress, this.#sysfs);
    } catch {
      // Another namespace than the engine's, or another machine.
      return false;
    }
    if (tracked.port === undefined) {
      if (this.#fresh.has(id)) tracked.traffic ??= NO_TRAFFIC;
      return tracked.traffic !== null;
    }
    try {
      tracked.traffic = trafficOf(tracked.port, this.#sysfs);
    } catch {
      // The interface is gone: its last count stays.
    }
    return true;
  }

  async #askEngine(id: string, tracked: Tracked, signal: AbortSignal): Promise<void> {
    const call = { action: `count the traffic of container ${id}`, ms: this.#ms, signal };
    const options = { stream: false, 'one-shot': true } as const;
    // dockerode's type does not know the signal.
    const container: { stats(options: object): Promise<unknown> } = this.#docker.getContainer(id);
    const stats = await callEngine(call, (abortSignal) => container.stats({ ...options, abortSignal }));
    const { networks } = STATS.parse(stats);
    const interfaces = Object.values(networks ?? {});
    if (interfaces.length === 0) return;
    tracked.traffic = {
      sentBytes: interfaces.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
      receivedBytes: interfaces.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    };
  }
}
