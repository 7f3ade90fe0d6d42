import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ContainerPlan, Exit, FoundContainer, OutputSink, Runtime } from '../../domain/ports/runtime.ts';
import { sleep } from '../../lib/sleep.ts';
import { createChecked } from './container/create.ts';
import { engineMemory, exitOrigin, type Witness } from './container/exit-origin.ts';
import { chooseGpuInjection, type GpuMode } from './container/gpu-injection.ts';
import { containerName, containerSpec, type DockerLimits, LABELS } from './container/spec.ts';
import { type ContainerState, inspectState } from './container/state.ts';
import { removeContainer, stopContainer } from './container/stop.ts';
import { type SeenEnd, waitForExit } from './container/wait.ts';
import { callEngine, ENGINE_DEADLINES, type EngineDeadlines } from './engine/call.ts';
import { connectEngine, isLocal, parseDockerHost } from './engine/connection.ts';
import { startError } from './engine/errors.ts';
import { describeFacts, type EngineFacts, readFacts } from './engine/facts.ts';
import { pingEngine } from './engine/ping.ts';
import { unmetRequirement } from './engine/requirements.ts';
import { DockerImages, type ImageRules } from './image/images.ts';
import type { PullHooks } from './image/pull.ts';
import { AttachedOutputs, followAttached } from './output/attached.ts';
import { followLog } from './output/logs.ts';

/** What the runtime is made from. */
export type DockerRuntimeOptions = {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  /** Whose containers these are; a container of another agent is never touched. */
  readonly agentId: string;
  readonly limits: DockerLimits;
  readonly gpuMode: GpuMode;
  /** Whether the owner accepts an engine without a seccomp profile. */
  readonly acceptNoSeccomp: boolean;
  readonly images: Omit<ImageRules, 'lookMs'>;
  readonly hooks: PullHooks;
  readonly clock: Clock;
  /** For tests; the default suits every real engine. */
  readonly deadlines?: EngineDeadlines;
};

/** The pause before an engine that was away is asked again whose doing an end was, in milliseconds. */
const ASK_AGAIN_MS = 500;

const MEASURED = z.object({ SizeRw: z.number().optional() });

/** Executes jobs in containers of a Docker engine. Nothing here waits for longer than its deadline. */
export class DockerRuntime implements Runtime {
  readonly images: DockerImages;
  readonly #docker: Docker;
  readonly #options: DockerRuntimeOptions;
  readonly #deadlines: EngineDeadlines;
  readonly #now = (): number => this.#options.clock.now();
  readonly #attached: AttachedOutputs;
  #facts: EngineFacts | undefined;
  /** Containers that were made here and that nobody was asked to start yet. */
  readonly #unstarted = new Set<string>();
  /** Whether the storage driver keeps a container to its disk limit; learnt when the first one is made. */
  #diskQuota: boolean | undefined;

  /** Throws CONFIG_INVALID for a host that cannot be used. */
  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#deadlines = options.deadlines ?? ENGINE_DEADLINES;
    this.#docker = connectEngine(parseDockerHost(options.host));
    this.#attached = new AttachedOutputs(this.#docker, this.#deadlines.lookMs);
    const rules = { ...options.images, lookMs: this.#deadlines.lookMs };
    this.images = new DockerImages(this.#docker, rules, options.hooks, options.clock);
  }

  /** What this engine is and can do. Throws RUNTIME_UNAVAILABLE. */
  facts(signal: AbortSignal): Promise<EngineFacts> {
    return this.#readFacts(signal);
  }

  async probe(signal: AbortSignal): Promise<string> {
    const facts = await this.#readFacts(signal);
    const { acceptNoSeccomp, gpuMode, limits } = this.#options;
    const unfit = unmetRequirement(facts, { acceptNoSeccomp, gpuMode, runtime: limits.runtime });
    if (unfit !== undefined) {
      throw new AgentError('RUNTIME_UNAVAILABLE', `this Docker cannot run jobs: ${unfit.why}`, {
        hint: unfit.hint,
      });
    }
    return describeFacts(facts);
  }

  ping(signal: AbortSignal): Promise<void> {
    return pingEngine(this.#docker, this.#deadlines.lookMs, signal);
  }

  /** The engine's data root, once `probe` has asked for it and where the engine is on this machine as far as can be told. */
  get storagePath(): string | undefined {
    return isLocal(parseDockerHost(this.#options.host)) ? this.#facts?.dataRoot : undefined;
  }

  async create(plan: ContainerPlan): Promise<string> {
    const id = await this.#create(plan);
    this.#unstarted.add(id);
    return id;
  }

  async #create(plan: ContainerPlan): Promise<string> {
    const facts = this.#facts ?? (await this.#readFacts());
    const image = await this.images.describe(plan.image);
    const { agentId, limits, gpuMode } = this.#options;
    const make = (diskQuota: boolean): Promise<string> => {
      const { seccomp } = facts;
      const way = chooseGpuInjection(gpuMode, facts);
      const spec = containerSpec(plan, {
        agentId,
        limits,
        chooseGpuInjection: way,
        image,
        diskQuota,
        seccomp,
      });
      return createChecked(this.#docker, spec, image.id, facts.limits.swap, this.#deadlines);
    };
    if (this.#diskQuota === false || !mayHaveQuota(facts)) return make(false);
    try {
      const id = await make(true);
      this.#diskQuota = true;
      return id;
    } catch (thrown) {
      // overlay2 has quotas only where its xfs is mounted with pquota, which the engine tells in no other way.
      if (!/storage-opt/i.test(asAgentError(thrown).message)) throw thrown;
      this.#diskQuota = false;
      return make(false);
    }
  }

  /** As the port says. One that runs already stays as it is; one that has ended is never run a second time. */
  async start(id: string): Promise<void> {
    // Only of a container that was just made is it certain that it has not run: any other is looked at first.
    if (this.#unstarted.delete(id)) {
      await this.#attached.open(id);
    } else {
      const { name } = await this.#state(id);
      if (name === 'running') return;
      if (name === 'exited') throw new AgentError('RUNTIME_FAILED', `container ${id} has run already`);
    }
    try {
      await callEngine(
        { doing: `start container ${id}`, ms: this.#deadlines.makeMs },
        (abortSignal) => this.#docker.getContainer(id).start({ abortSignal }),
        (thrown) => startError(thrown, id),
      );
      this.#attached.started(id);
    } catch (thrown) {
      this.#attached.close(id);
      throw thrown;
    }
  }

  /**
   * As the port says: what was started here as it comes, anything else from the log, where what the engine no longer
   * keeps of a flood (more than 60 MB) may be missing in the middle.
   */
  async follow(id: string, sink: OutputSink, signal: AbortSignal): Promise<void> {
    const ended = async (asked: AbortSignal): Promise<boolean> =>
      (await this.#state(id, asked)).exit !== undefined;
    const attached = this.#attached.take(id);
    if (attached === undefined) {
      const open = (since: string | undefined, opened: AbortSignal) => this.#openLog(id, since, opened);
      return followLog({ open, ended }, sink, signal);
    }
    const end = (asked: AbortSignal): Promise<SeenEnd> =>
      waitForExit(this.#docker, id, this.#deadlines, this.#now, asked);
    await followAttached(attached, { ended, end, now: this.#now }, sink, signal);
  }

  /** As the port says; goes on through restarts of the engine. Rejects with the signal's reason on an abort. */
  async wait(id: string, signal: AbortSignal): Promise<Exit> {
    const end = await waitForExit(this.#docker, id, this.#deadlines, this.#now, signal);
    const call = { ms: this.#deadlines.lookMs, signal };
    const witness: Witness = {
      liveRestore: async () => (await this.#readFacts(signal)).liveRestore,
      memory: () => engineMemory(this.#docker, id, end.exit.finishedAt, call),
    };
    for (;;) {
      try {
        return { ...end.exit, exitOrigin: await exitOrigin(end, witness) };
      } catch (thrown) {
        signal.throwIfAborted();
        // The engine has gone away again: whose end it was can wait until it is back.
        if (asAgentError(thrown).code !== 'RUNTIME_UNAVAILABLE') throw thrown;
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  stop(id: string, graceMs: number): Promise<void> {
    return stopContainer(this.#docker, id, graceMs, this.#deadlines, this.#now);
  }

  remove(id: string): Promise<void> {
    this.#unstarted.delete(id);
    this.#attached.close(id);
    return removeContainer(this.#docker, id, this.#deadlines);
  }

  async list(): Promise<readonly FoundContainer[]> {
    const filters = JSON.stringify({ label: [`${LABELS.agent}=${this.#options.agentId}`] });
    const listed = await callEngine({ doing: 'list containers', ms: this.#deadlines.lookMs }, (abortSignal) =>
      this.#docker.listContainers({ all: true, filters, abortSignal }),
    );
    const found = await Promise.all(listed.map(({ Id, Names, Labels }) => this.#found(Id, Names, Labels)));
    return found.filter((container) => container !== undefined);
  }

  /**
   * How much a container has written to its own layer, in bytes; undefined where the storage driver keeps it to
   * its limit by itself. Walks the container's files: not to be asked more than a few times a minute.
   */
  async diskBytes(id: string, signal: AbortSignal): Promise<number | undefined> {
    if (this.#diskQuota === true) return undefined;
    const options = { size: true };
    const measured: unknown = await callEngine(
      { doing: `measure the disk use of container ${id}`, ms: this.#deadlines.makeMs, signal },
      (abortSignal) => this.#docker.getContainer(id).inspect({ ...options, abortSignal }),
    );
    return MEASURED.parse(measured).SizeRw ?? 0;
  }

  #state(id: string, signal?: AbortSignal): Promise<ContainerState> {
    return inspectState(this.#docker, id, this.#deadlines.lookMs, signal);
  }

  /** A listed container; undefined where it is not one of ours after all, or has gone since. */
  async #found(
    id: string,
    names: readonly string[],
    labels: Readonly<Record<string, string>>,
  ): Promise<FoundContainer | undefined> {
    const job = labels[LABELS.job];
    // An image can carry our labels; only the name is beyond it.
    if (job === undefined || !names.includes(`/${containerName(job)}`)) return undefined;
    try {
      const { name, startedAt } = await this.#state(id);
      return { id, job, state: name, startedAt };
    } catch (thrown) {
      if (asAgentError(thrown).code === 'CONTAINER_GONE') return undefined;
      throw thrown;
    }
  }

  async #openLog(
    id: string,
    since: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<string | Uint8Array>> {
    const options = { follow: true, stdout: true, stderr: true, timestamps: true } as const;
    const window = since === undefined ? {} : { since };
    return callEngine(
      { doing: `read the output of container ${id}`, ms: this.#deadlines.lookMs, signal },
      (deadline) => {
        // The signal outlives the call: it ends the stream.
        const abortSignal = AbortSignal.any([signal, deadline]);
        return this.#docker.getContainer(id).logs({ ...options, ...window, abortSignal });
      },
    );
  }

  async #readFacts(signal?: AbortSignal): Promise<EngineFacts> {
    const call = { doing: 'ask Docker what it is', ms: this.#deadlines.lookMs, signal };
    // Both take a signal, which the client's published types do not know.
    const asked: {
      info(options: { abortSignal: AbortSignal }): Promise<unknown>;
      version(options: { abortSignal: AbortSignal }): Promise<unknown>;
    } = this.#docker;
    const info = await callEngine(call, (abortSignal) => asked.info({ abortSignal }));
    const version = await callEngine(call, (abortSignal) => asked.version({ abortSignal }));
    this.#facts = readFacts(info, version);
    return this.#facts;
  }
}

/** Whether the storage driver is one of those that can limit a container's disk, under conditions. */
function mayHaveQuota({ storageDriver, backingFileSystem }: EngineFacts): boolean {
  if (storageDriver === 'overlay2') return backingFileSystem === 'xfs';
  return ['btrfs', 'zfs', 'devicemapper'].includes(storageDriver);
}
