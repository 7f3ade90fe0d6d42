import type Docker from 'dockerode';
import { z } from 'zod';
import type { EngineIdentity } from '../../domain/engine-identity.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { ImagePlatform } from '../../domain/image-platform.ts';
import type { ContainerNetworkUse } from '../../domain/network-use.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type {
  ContainerPlan,
  Exit,
  FoundContainer,
  OutputSink,
  RunningState,
  Runtime,
} from '../../domain/ports/runtime.ts';
import { sleep } from '../../lib/sleep.ts';
import { createContainer } from './container/create.ts';
import { exitOrigin } from './container/exit-origin.ts';
import { ExitWaits } from './container/exit-waits.ts';
import type { GpuInjection, GpuMode } from './container/gpu-injection.ts';
import { GpuInjector } from './container/gpu-injector.ts';
import { type ContainerHistory, findHistory } from './container/history.ts';
import { readListed } from './container/listed.ts';
import { CHECK_AGENT_ID, containerSpec, type DockerLimits, LABELS } from './container/spec.ts';
import { type ContainerState, inspectState } from './container/state.ts';
import { removeContainer, stopContainer } from './container/stop.ts';
import { callEngine, ENGINE_DEADLINES, type EngineDeadlines } from './engine/call.ts';
import { isLocal, openEngine, parseDockerHost, withoutLinks } from './engine/connection.ts';
import { startError } from './engine/errors.ts';
import { describeFacts, type EngineFacts } from './engine/facts.ts';
import { pingEngine } from './engine/ping.ts';
import { queryFacts } from './engine/query-facts.ts';
import { unmetRequirement } from './engine/requirements.ts';
import type { EngineTls } from './engine/tls.ts';
import { DockerImages, type ImageRules } from './image/images.ts';
import type { PullHooks } from './image/pull.ts';
import { DockerImageStore } from './image/store.ts';
import { ContainerTraffic } from './network/container-traffic.ts';
import { AttachedOutputs, followAttached } from './output/attached.ts';
import { followLog } from './output/logs.ts';
import type { RegistryCredentials } from './registry/credentials.ts';
import { importTestImage } from './test-image/test-image.ts';

/** What the runtime needs. */
export type DockerRuntimeOptions = {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  /** How a `tcp://` engine is reached over TLS; absent: without. */
  readonly tls?: EngineTls | undefined;
  /** The owner of the containers. Those of another agent are never touched. */
  readonly agentId: string;
  readonly limits: DockerLimits;
  readonly gpuMode: GpuMode;
  /** Whether the owner accepts an engine without seccomp. */
  readonly acceptNoSeccomp: boolean;
  readonly images: Omit<ImageRules, 'inspectMs'>;
  readonly hooks: PullHooks;
  readonly clock: Clock;
  /** The credentials for private registries; absent: none. */
  readonly credentials?: RegistryCredentials | undefined;
  /** For tests. */
  readonly deadlines?: EngineDeadlines;
  /** For tests: where the engine's host shows its network interfaces. */
  readonly sysfs?: string;
};

/** The pause before an unreachable engine is asked again what ended a container, in milliseconds. */
const RETRY_MS = 500;

/** A container of `check` that is older was left behind by one that was killed, in seconds. */
const CHECK_ABANDONED_S = 600;

/** Docker answers -1 where it could not walk through the files, as with paths longer than PATH_MAX. */
const DISK_USE = z.object({ SizeRw: z.int().nonnegative() });

/** Runs jobs in containers of a Docker engine. Every call has a deadline. */
export class DockerRuntime implements Runtime {
  readonly images: DockerImages;
  readonly imageStore: DockerImageStore;
  readonly #docker: Docker;
  readonly #options: DockerRuntimeOptions;
  readonly #deadlines: EngineDeadlines;
  readonly #now = (): number => this.#options.clock.now();
  readonly #attached: AttachedOutputs;
  readonly #traffic: ContainerTraffic;
  readonly #exits: ExitWaits;
  #facts: EngineFacts | undefined;
  readonly #injector: GpuInjector;
  /** The agent's own image; undefined: it has none here, so that only jobs show how a GPU can be given. */
  #testImage: string | undefined;
  /** Whether the engine's facts may have changed since they were read. */
  #areFactsStale = false;
  /** Containers that this process created and has not started yet. */
  readonly #unstarted = new Set<string>();
  /** Containers that this process started: their whole life was watched. */
  readonly #startedHere = new Set<string>();
  /** Containers that this process gave a GPU by CDI. */
  readonly #cdi = new Set<string>();
  /** Whether the storage driver enforces disk limits; unknown until the first container is created. */
  #diskQuota: boolean | undefined;

  /** Throws CONFIG_INVALID for an invalid host. */
  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#deadlines = options.deadlines ?? ENGINE_DEADLINES;
    this.#docker = openEngine({ host: options.host, tls: options.tls });
    this.#injector = new GpuInjector({ mode: options.gpuMode, runtime: options.limits.runtime });
    this.#traffic = new ContainerTraffic(this.#docker, this.#deadlines.inspectMs, options.sysfs);
    this.#exits = new ExitWaits(this.#docker, this.#deadlines, this.#now);
    this.#attached = new AttachedOutputs(this.#docker, this.#deadlines.inspectMs, (id) =>
      this.#traffic.sample(id),
    );
    const rules = { ...options.images, inspectMs: this.#deadlines.inspectMs };
    const { clock, credentials, hooks } = options;
    const platform = async (): Promise<ImagePlatform> => (await this.#knownFacts()).platform;
    this.images = new DockerImages(this.#docker, rules, { hooks, clock, platform, credentials });
    this.imageStore = new DockerImageStore(this.#docker, this.#deadlines.inspectMs);
  }

  /** The engine's version and features. Throws RUNTIME_UNAVAILABLE. */
  facts(signal: AbortSignal): Promise<EngineFacts> {
    return this.#readFacts(signal);
  }

  async probe(signal: AbortSignal): Promise<string> {
    const facts = await this.#readFacts(signal);
    const { acceptNoSeccomp, gpuMode, limits } = this.#options;
    const unmet = unmetRequirement(facts, { acceptNoSeccomp, gpuMode, runtime: limits.runtime });
    if (unmet !== undefined) {
      throw new AgentError('RUNTIME_UNAVAILABLE', `the engine cannot run jobs: ${unmet.why}`, {
        hint: unmet.hint,
      });
    }
    return describeFacts(facts);
  }

  async identity(signal: AbortSignal): Promise<EngineIdentity> {
    return { ...(await this.#readFacts(signal)).identity, endpoint: withoutLinks(this.#options.host) };
  }

  ping(signal: AbortSignal): Promise<void> {
    return pingEngine(this.#docker, this.#deadlines.inspectMs, signal);
  }

  async testImage(signal: AbortSignal): Promise<string | undefined> {
    this.#testImage = await importTestImage(this.#docker, this.#deadlines, signal);
    return this.#testImage;
  }

  /** The engine's data root; undefined before the first `probe`, and for an engine on another machine. */
  get storagePath(): string | undefined {
    return isLocal(parseDockerHost(this.#options.host)) ? this.#facts?.dataRoot : undefined;
  }

  async create(plan: ContainerPlan): Promise<string> {
    const facts = await this.#knownFacts();
    const isOwn = this.#testImage === undefined || plan.image === this.#testImage;
    const injected = this.#injector.choose(plan.gpu, facts, isOwn);
    try {
      const id = await this.#create(plan, facts, injected?.injection ?? 'device-requests');
      this.#unstarted.add(id);
      this.#attached.begin(id);
      this.#injector.created(id, injected);
      if (injected?.injection === 'cdi') this.#cdi.add(id);
      return id;
    } catch (thrown) {
      throw this.#noticed(this.#injector.fault(injected, thrown)) ?? thrown;
    }
  }

  /** The owner may change the engine's configuration after such a fault. */
  #noticed(fault: AgentError | undefined): AgentError | undefined {
    this.#areFactsStale ||= fault !== undefined;
    return fault;
  }

  async #create(plan: ContainerPlan, facts: EngineFacts, gpuInjection: GpuInjection): Promise<string> {
    const image = await this.images.describe(plan.image);
    const { agentId, limits } = this.#options;
    const create = (diskQuota: boolean): Promise<string> => {
      const { seccomp } = facts;
      const spec = containerSpec(plan, {
        agentId,
        limits,
        gpuInjection,
        image,
        diskQuota,
        seccomp,
      });
      return createContainer(this.#docker, spec, image.id, facts.limits.swap, this.#deadlines);
    };
    if (this.#diskQuota === false || !mayHaveQuota(facts)) return create(false);
    try {
      const id = await create(true);
      this.#diskQuota = true;
      return id;
    } catch (thrown) {
      // overlay2 has quotas only on xfs mounted with pquota, which only this error shows.
      if (!/storage-opt/i.test(asAgentError(thrown).message)) throw thrown;
      this.#diskQuota = false;
      return create(false);
    }
  }

  /** A running container stays as it is. An exited one is never started again. */
  async start(id: string): Promise<void> {
    // Only a container that this process created is known not to have run.
    if (this.#unstarted.delete(id)) {
      await this.#attached.opened(id);
    } else {
      const { name } = await this.#state(id);
      if (name === 'running') return;
      if (name === 'exited') throw new AgentError('RUNTIME_FAILED', `container ${id} has already run`);
    }
    try {
      const started = callEngine(
        { action: `start container ${id}`, ms: this.#deadlines.createMs },
        (abortSignal) => this.#docker.getContainer(id).start({ abortSignal }),
        (thrown) => startError(thrown, id),
      );
      this.#exits.started(id, this.#traffic.track(id, started));
      await started;
      this.#attached.started(id);
      this.#startedHere.add(id);
      this.#injector.settled(id);
    } catch (thrown) {
      this.#attached.close(id);
      // Only a container of an older agent can have an image of another platform.
      if (/exec format error/i.test(asAgentError(thrown).message))
        await this.images.describe(await this.#imageOf(id));
      throw this.#noticed(this.#injector.startFault(id, thrown)) ?? thrown;
    }
  }

  /**
   * Reads the attached stream of a container that this process started, and the log of any other. The log keeps 60 MB,
   * so older output of a flood may be missing.
   */
  async follow(id: string, sink: OutputSink, signal: AbortSignal): Promise<void> {
    const hasExited = async (asked: AbortSignal): Promise<boolean> =>
      (await this.#state(id, asked)).exit !== undefined;
    const attached = this.#attached.take(id);
    if (attached === undefined) {
      const open = (since: string | undefined, opened: AbortSignal) => this.#openLog(id, since, opened);
      return followLog({ open, hasExited }, sink, signal).finally(() => this.#traffic.sample(id));
    }
    const source = { hasExited, waitForExit: this.#exits.join.bind(this.#exits, id), now: this.#now };
    await followAttached(attached, source, sink, signal);
  }

  /** Waits through restarts of the engine. Throws the signal's reason after an abort. */
  async wait(id: string, signal: AbortSignal, onSeen?: (seen: RunningState) => void): Promise<Exit> {
    const observed = await this.#exits.wait(id, signal, onSeen);
    const { alreadyExited, exit, restarted, wasPaused } = observed;
    let known: { readonly history: ContainerHistory | undefined } | undefined;
    const history = async (): Promise<ContainerHistory | undefined> => {
      known ??= { history: await findHistory(this.#docker, id, exit.finishedAt, this.#deadlines, signal) };
      return known.history;
    };
    const liveRestore = async (): Promise<boolean> => (await this.#readFacts(signal)).liveRestore;
    return untilAnswered(signal, async () => {
      const origin = await exitOrigin(observed, { history, liveRestore });
      // A success that was watched from start to end needs no questions.
      const isClear = exit.code === 0 && !wasPaused && !alreadyExited && this.#startedHere.has(id);
      const seen = isClear ? undefined : await history();
      return {
        ...exit,
        exitOrigin: origin,
        restarted: restarted || seen?.restarted === true,
        pausedMs: seen?.pausedMs ?? 0,
      };
    });
  }

  wasSignalled(id: string, { finishedAt }: Exit, signal: AbortSignal): Promise<boolean> {
    return untilAnswered(signal, async () => {
      const history = await findHistory(this.#docker, id, finishedAt, this.#deadlines, signal);
      return history?.exit === 'killed';
    });
  }

  stop(id: string, graceMs: number): Promise<void> {
    return stopContainer(this.#docker, id, graceMs, this.#deadlines, this.#now);
  }

  async remove(id: string): Promise<void> {
    this.#unstarted.delete(id);
    this.#injector.settled(id);
    this.#attached.close(id);
    this.#traffic.forget(id);
    this.#exits.forget(id);
    await removeContainer(this.#docker, id, this.#deadlines);
    // Its end has been attributed by now, or nobody wants to know.
    this.#startedHere.delete(id);
    this.#cdi.delete(id);
  }

  /** With its systemd driver, the engine leaves device rules to systemd, which knows only those of CDI. */
  mayLoseGpu(id: string): boolean {
    return this.#facts?.cgroupDriver === 'systemd' && !this.#cdi.has(id);
  }

  /** This agent's containers, and those that a killed `check` has left behind. */
  async list(): Promise<readonly FoundContainer[]> {
    const filters = JSON.stringify({ label: [LABELS.agent] });
    const listed = await callEngine(
      { action: 'list containers', ms: this.#deadlines.inspectMs },
      (abortSignal) => this.#docker.listContainers({ all: true, filters, abortSignal }),
    );
    const ours = listed.filter(({ Created, Labels }) => this.#isOurs(Labels[LABELS.agent], Created));
    const found = await Promise.all(ours.map((container) => readListed(container, (id) => this.#state(id))));
    return found.filter((container) => container !== undefined);
  }

  networkUse(id: string, when: AbortSignal | 'last'): Promise<ContainerNetworkUse | undefined> {
    return this.#traffic.use(id, when);
  }

  /**
   * Bytes written to the container's own layer; undefined if the storage driver enforces the limit. The engine walks the
   * container's files for it, so ask at most a few times a minute. Throws RUNTIME_FAILED if it could not.
   */
  async diskBytes(id: string, signal: AbortSignal): Promise<number | undefined> {
    if (this.#diskQuota === true) return undefined;
    const options = { size: true };
    const measured: unknown = await callEngine(
      { action: `measure the disk use of container ${id}`, ms: this.#deadlines.createMs, signal },
      (abortSignal) => this.#docker.getContainer(id).inspect({ ...options, abortSignal }),
    );
    const read = DISK_USE.safeParse(measured);
    if (read.success) return read.data.SizeRw;
    throw new AgentError('RUNTIME_FAILED', `Docker cannot measure the disk use of container ${id}`);
  }

  async #imageOf(id: string): Promise<string> {
    const inspected = await callEngine(
      { action: `inspect container ${id}`, ms: this.#deadlines.inspectMs },
      (abortSignal) => this.#docker.getContainer(id).inspect({ abortSignal }),
    );
    return inspected.Image;
  }

  #state(id: string, signal?: AbortSignal): Promise<ContainerState> {
    return inspectState(this.#docker, id, this.#deadlines.inspectMs, signal);
  }

  /** `createdAt` is in seconds since the epoch. */
  #isOurs(agentId: string | undefined, createdAt: number): boolean {
    if (agentId === this.#options.agentId) return true;
    return agentId === CHECK_AGENT_ID && createdAt < this.#now() / 1000 - CHECK_ABANDONED_S;
  }

  async #openLog(
    id: string,
    since: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<string | Uint8Array>> {
    const options = { follow: true, stdout: true, stderr: true, timestamps: true } as const;
    const window = since === undefined ? {} : { since };
    return callEngine(
      { action: `read the output of container ${id}`, ms: this.#deadlines.inspectMs, signal },
      (deadline) => {
        // The signal also ends the stream, after this call.
        const abortSignal = AbortSignal.any([signal, deadline]);
        return this.#docker.getContainer(id).logs({ ...options, ...window, abortSignal });
      },
    );
  }

  async #knownFacts(): Promise<EngineFacts> {
    return this.#facts === undefined || this.#areFactsStale ? this.#readFacts() : this.#facts;
  }

  async #readFacts(signal?: AbortSignal): Promise<EngineFacts> {
    this.#facts = await queryFacts(this.#docker, this.#deadlines.inspectMs, signal);
    this.#areFactsStale = false;
    return this.#facts;
  }
}

/** Whether the storage driver may be able to limit a container's disk use. */
function mayHaveQuota({ storageDriver, backingFileSystem }: EngineFacts): boolean {
  if (storageDriver === 'overlay2') return backingFileSystem === 'xfs';
  return ['btrfs', 'zfs', 'devicemapper'].includes(storageDriver);
}

/** Asks an engine that may be unreachable until it answers. Throws other errors, and the signal's reason. */
async function untilAnswered<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      if (asAgentError(thrown).code !== 'RUNTIME_UNAVAILABLE') throw thrown;
      await sleep(RETRY_MS, signal);
    }
  }
}
