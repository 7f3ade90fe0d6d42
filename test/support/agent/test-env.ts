import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { AdmissionCheck } from '../../../src/agent/admission/resource-checks.ts';
import type { Agent } from '../../../src/agent/agent.ts';
import type { AgentDeps } from '../../../src/agent/deps.ts';
import { eventLog } from '../../../src/agent/events/event-log.ts';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import type { AgentSettings } from '../../../src/agent/settings.ts';
import { HttpBroker } from '../../../src/broker/client.ts';
import { Transport } from '../../../src/broker/transport.ts';
import { buildAgent } from '../../../src/compose-agent.ts';
import { marketSight, openMarketHistory } from '../../../src/compose-market-history.ts';
import type { Gpu } from '../../../src/domain/gpu.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { OfferPlan } from '../../../src/domain/offer.ts';
import type { MemoryFacts } from '../../../src/domain/oom.ts';
import type { Clock, HostClock } from '../../../src/domain/ports/clock.ts';
import type { KernelLog } from '../../../src/domain/ports/gpu.ts';
import type { DiskSpace } from '../../../src/domain/ports/host.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { IsolatedNetwork } from '../../../src/domain/ports/network.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { Schedule } from '../../../src/domain/schedule/availability.ts';
import { Zone } from '../../../src/domain/schedule/zone.ts';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import type { SimulatedGpus } from '../../../src/embedded/gpu/simulated-gpus.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { NO_PRICE } from '../../../src/pricing/electricity.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { VirtualTime } from '../clock/virtual-time.ts';
import { CPU_IMAGE } from '../domain.ts';
import { HttpProxy } from '../faults/http-proxy.ts';
import { logged, logInto } from '../log/log-into.ts';
import { memoryMonitor } from './memory-monitor.ts';

export const TOKEN = 'test-token';

/** What is to be waited for, and is not a matter of time. */
const SOON = { timeout: 30_000, interval: 20 };

/**
 * A broker behind a proxy, a state directory, and agents on them, one after the other. All is real but for the time,
 * which goes faster while nothing but a timer is waited for.
 */
export class TestEnv implements AsyncDisposable {
  readonly broker: EmbeddedBroker;
  /** Between the agents and the broker. */
  readonly proxy: HttpProxy;
  /** The broker's own address. */
  readonly url: string;
  readonly directory: string;
  /** Every line that any agent logged, as JSON. */
  readonly log: string[] = [];
  readonly events: AgentEvent[] = [];
  readonly #time: VirtualTime | undefined;
  readonly #images = new Map<string, string>();
  readonly #runtimes: ProcessRuntime[] = [];

  private constructor(
    parts: Pick<TestEnv, 'broker' | 'proxy' | 'url' | 'directory'>,
    time: VirtualTime | undefined,
  ) {
    this.broker = parts.broker;
    this.proxy = parts.proxy;
    this.url = parts.url;
    this.directory = parts.directory;
    this.#time = time;
  }

  /** `realTime`: for jobs in a Docker engine, whose calls the virtual time does not know of. */
  static async open(
    options: { readonly leaseSeconds?: number; readonly clock?: Clock; readonly realTime?: true } = {},
  ): Promise<TestEnv> {
    const { realTime, ...brokerOptions } = options;
    const time = realTime ? undefined : new VirtualTime();
    const broker = new EmbeddedBroker({ token: TOKEN, leaveOutUnwinnable: false, ...brokerOptions });
    const url = await broker.listen();
    const proxy = await HttpProxy.open(url);
    const directory = await mkdtemp(join(tmpdir(), 'test-env-'));
    return new TestEnv({ broker, proxy, url, directory }, time);
  }

  get time(): VirtualTime {
    if (this.#time === undefined) throw new Error('the time is real');
    return this.#time;
  }

  /** Adds a run whose function is this Node.js text; returns its uuid. */
  addRun(
    code: string,
    parameters: string,
    more: { readonly bidPrice?: number; readonly image?: string } = {},
  ): string {
    const { store } = this.broker;
    const registryPath = more.image ?? CPU_IMAGE;
    const image =
      this.#images.get(registryPath) ??
      store.addImage({ registryPath, requiresGpu: false, runtime: 'node24' });
    this.#images.set(registryPath, image);
    const fn = store.addFunction({ name: 'sample', code, image });
    return store.addRun({ function: fn, parameters, bidPrice: more.bidPrice ?? 0.5 });
  }

  /** The jobs of a run, as the broker has them. */
  jobsOf(run: string): readonly JobRow[] {
    return this.broker.store.jobsOf(run);
  }

  /** The first job of a run. */
  jobOf(run: string): JobRow {
    const [job] = this.jobsOf(run);
    if (job === undefined) throw new Error(`run ${run} has no job`);
    return job;
  }

  /** How many events of this kind there were. */
  count(kind: AgentEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** The events of the broker about jobs from now on, in order. */
  recordJobEvents(): readonly string[] {
    const kinds: string[] = [];
    this.broker.store.onEvent((event) => {
      if ('job' in event) kinds.push(event.kind);
    });
    return kinds;
  }

  /** Waits for a condition that stays once it is met. */
  until(condition: () => void | Promise<void>): Promise<void> {
    return vi.waitFor(condition, SOON);
  }

  untilEvent(kind: AgentEvent['kind']): Promise<void> {
    return this.until(() => {
      if (this.count(kind) === 0) throw new Error(`no ${kind}, but ${this.#happened()}`);
    });
  }

  untilLogged(event: string): Promise<void> {
    return this.until(() => {
      if (logged(this.log, event).length === 0)
        throw new Error(`no ${event} logged, but ${this.#happened()}`);
    });
  }

  /** Waits until all jobs of a run have succeeded. */
  untilDone(run: string): Promise<void> {
    return this.until(() => {
      const statuses = this.jobsOf(run).map(({ status }) => status);
      if (statuses.some((status) => status !== JOB_STATUS.SUCCEEDED))
        throw new Error(`its jobs are ${statuses.join(', ')} after ${this.#happened()}`);
    });
  }

  #happened(): string {
    return this.events.map(({ kind }) => kind).join(', ');
  }

  /** Opens an agent that is not started: `run` works with --once unless `settings` say otherwise. */
  async open(choices: AgentChoices = {}): Promise<TestAgent> {
    const agent = await openAgent(this, choices);
    this.#runtimes.push(agent.runtime);
    return agent;
  }

  /** Starts an agent that works until it is stopped. */
  async start(choices: AgentChoices = {}): Promise<TestAgent> {
    const agent = await this.open({ ...choices, settings: { once: false, ...choices.settings } });
    void agent.run().catch(() => undefined);
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const runtime of this.#runtimes) await runtime[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.broker.close();
    await rm(this.directory, { recursive: true, force: true });
    await this.#time?.[Symbol.asyncDispose]();
  }
}

export type AgentChoices = {
  readonly token?: string;
  /** Reads the token again, after it was refused; else there is no other one. */
  readonly reloadToken?: () => Promise<boolean>;
  readonly slots?: number;
  readonly settings?: Partial<AgentSettings>;
  /** What runs the jobs instead of local processes. */
  readonly runtime?: (agentId: string, processes: Runtime) => Runtime;
  /** Stands before the journal. */
  readonly journal?: (journal: Journal) => Journal;
  readonly gpus?: readonly Gpu[];
  /** GPUs with figures of their own, instead of `gpus`. */
  readonly simulated?: SimulatedGpus;
  /** Called with each event. */
  readonly observe?: (event: AgentEvent) => void;
  readonly kernelLog?: KernelLog;
  /** What the owner sets for asks; else they are fixed and have no limits. */
  readonly askSettings?: AgentDeps['askSettings'];
  readonly offerCost?: AgentDeps['offerCost'];
  readonly electricity?: AgentDeps['electricity'];
  /** What is offered instead of slots for CPU jobs. */
  readonly offers?: readonly OfferPlan[];
  readonly clock?: HostClock;
  /** The isolated network of the engine, for jobs to use; else they have none. */
  readonly isolated?: IsolatedNetwork;
  /** What holds claims back beside the engine and the state directory. */
  readonly admissionChecks?: readonly AdmissionCheck[];
  /** What is known of the host's memory; else nothing is. */
  readonly memory?: () => MemoryFacts;
  readonly systemdReloadedAt?: () => number | undefined;
  /** When jobs may run; else always. */
  readonly schedule?: Schedule;
  /** Of the market history, in bytes; else there is none. */
  readonly marketHistorySize?: number;
  /** Where the market history is, instead of in the state directory. */
  readonly marketHistoryDirectory?: string;
  /** How much room the disk of the engine has; else nobody can tell. */
  readonly diskSpace?: (path: string) => DiskSpace | undefined;
  /** Has images evicted; else none is. */
  readonly imageDisk?: AgentDeps['imageDisk'];
};

/** An agent in this process. */
export class TestAgent implements AsyncDisposable {
  readonly agent: Agent;
  readonly journal: SqliteJournal;
  /** Runs the jobs of an agent that was given no other runtime, as local processes. */
  readonly runtime: ProcessRuntime;
  readonly #close: () => Promise<void>;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: Pick<TestAgent, 'agent' | 'journal' | 'runtime'>, close: () => Promise<void>) {
    this.agent = parts.agent;
    this.journal = parts.journal;
    this.runtime = parts.runtime;
    this.#close = close;
  }

  /** The agent's work, from its start to its end. */
  run(): Promise<void> {
    this.#running ??= this.agent.run();
    return this.#running;
  }

  async drain(): Promise<void> {
    await this.agent.drain();
    await this.#running;
  }

  /** Ends the agent and closes what it stands on, as the end of its process would; jobs that run go on. */
  async stop(): Promise<void> {
    await this.agent.stop();
    await this.#running;
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running !== undefined && !this.#isClosed) {
      await this.agent.stop();
      await this.#running.catch(() => undefined);
    }
    await this.close();
  }
}

/** Opens an agent on a state directory and a broker, which another process may have. */
export async function openAgent(
  env: Pick<TestEnv, 'directory' | 'events' | 'log' | 'url'> & { readonly proxy: Pick<HttpProxy, 'url'> },
  more: AgentChoices,
): Promise<TestAgent> {
  const { directory, url } = env;
  const transport = new Transport(env.proxy.url, { current: () => Promise.resolve(more.token ?? TOKEN) });
  const stateDir = openStateDir(join(directory, 'state'));
  const journal = openJournal(stateDir, url, systemClock);
  const workDir = join(directory, 'processes');
  await mkdir(workDir, { recursive: true });
  const runtime = new ProcessRuntime({
    interpreters: { [CPU_IMAGE]: [process.execPath, '-e'] },
    brokerUrl: url,
    embeddedBrokerUrl: url,
    workDir,
    path: process.env['PATH'] ?? '',
    clock: systemClock,
  });
  const log = logInto(env.log);
  const logEvent = eventLog(log);
  const marketHistory = openMarketHistory(
    { brokerUrl: url, marketHistorySize: more.marketHistorySize ?? 0 },
    more.marketHistoryDirectory ?? stateDir.path,
    log,
  );
  const imagePatterns = ['sharedcloud/*', 'localhost:5000/sharedcloud/*'];
  const reads = marketHistory && {
    history: marketHistory,
    ownJobs: journal.ownJobs,
    clock: more.clock ?? systemClock,
    knowledge: () => ({ catalogue: agent.catalogue, images: imagePatterns }),
  };
  const agent: Agent = buildAgent({
    broker: new HttpBroker(transport),
    runtime: more.runtime?.(journal.agentId, runtime) ?? runtime,
    files: new JobFolders(join(stateDir.path, 'jobs')),
    journal: more.journal?.(journal) ?? journal,
    probe: more.simulated ?? { read: () => Promise.resolve({ gpus: more.gpus ?? [], notices: [] }) },
    samples: more.simulated,
    rollups: more.simulated && journal.gpuRollups,
    kernelLog: more.kernelLog,
    offerCost: more.offerCost,
    marketHistory,
    marketSight: reads && ((offer) => marketSight(reads, offer)),
    electricity: more.electricity ?? NO_PRICE,
    schedule: more.schedule ?? new Schedule([], new Zone('UTC')),
    planOffers: () => ({ offers: more.offers ?? [cpuOffer(more.slots ?? 2)], problems: [] }),
    askSettings:
      more.askSettings ?? (() => ({ strategy: 'fixed', min: undefined, max: undefined, floorMargin: 1 })),
    clock: more.clock ?? systemClock,
    random: Math.random,
    log,
    observe: (event) => {
      env.events.push(event);
      more.observe?.(event);
      logEvent(event);
    },
    settings: {
      pollIntervalMs: 100,
      jobTimeoutMs: 30_000,
      gpuProbeMs: 15_000,
      minFreeGpuMemory: { part: 0.1 },
      maxGpuTemperature: () => Number.POSITIVE_INFINITY,
      maxPulls: 2,
      imagePatterns,
      diskLimitBytes: 1e9,
      trafficLimitBytes: undefined,
      minFreeBytes: 0,
      unkillableAfterMs: 30_000,
      once: true,
      ...more.settings,
    },
    network: more.isolated === undefined ? 'none' : 'isolated',
    isolated: more.isolated,
    admissionChecks: more.admissionChecks ?? [],
    jobResources: () => ({ memoryBytes: 256 * 1024 ** 2, cpus: 1 }),
    imageDisk: more.imageDisk,
    diskSpace: more.diskSpace ?? (() => undefined),
    noneRuns: () => false,
    memory: memoryMonitor(more.memory),
    watchHalts: () => () => false,
    systemdReloadedAt: more.systemdReloadedAt ?? (() => undefined),
    hostMemory: () => undefined,
    reloadToken: more.reloadToken ?? (() => Promise.resolve(false)),
  });
  return new TestAgent({ agent, journal, runtime }, async () => {
    marketHistory?.close();
    journal.close();
    stateDir.close();
    await transport.close();
  });
}

export function cpuOffer(slots: number): OfferPlan {
  return {
    key: 'cpu',
    kind: 'cpu',
    name: 'CPU',
    gpu: null,
    cudaCores: 0,
    wholeGpu: false,
    askPrice: 0.1,
    slots: Array.from({ length: slots }, (_, index) => ({ id: `cpu#${index}`, gpu: null })),
  };
}
