import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdmissionCheck } from '../../../src/agent/admission/resource-checks.ts';
import { Agent } from '../../../src/agent/agent.ts';
import { eventLog } from '../../../src/agent/events/event-log.ts';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import type { AgentSettings } from '../../../src/agent/settings.ts';
import { HttpBroker } from '../../../src/broker/client.ts';
import { Transport } from '../../../src/broker/transport.ts';
import type { Gpu } from '../../../src/domain/gpu.ts';
import type { OfferPlan } from '../../../src/domain/offer.ts';
import type { HostClock } from '../../../src/domain/ports/clock.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { IsolatedNetwork } from '../../../src/domain/ports/network.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { EmbeddedBroker, type EmbeddedBrokerOptions } from '../../../src/embedded/broker/embedded-broker.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import type { DiskRoom } from '../../../src/host/free-disk.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { logInto } from '../log/log-into.ts';

export const TOKEN = 'test-token';
export const CPU_IMAGE = 'sharedcloud/node24:latest';

/** A real broker, a state directory, and agents on them, one after the other. */
export type House = {
  readonly broker: EmbeddedBroker;
  readonly url: string;
  readonly directory: string;
  /** Every line that any agent logged, as JSON. */
  readonly log: string[];
  readonly events: AgentEvent[];
  /** Puts a run on the market whose function is this Node.js text; answers its uuid. */
  addRun(
    code: string,
    parameters: string,
    more?: { readonly bidPrice?: number; readonly image?: string },
  ): string;
  /** Opens an agent; `url` may be that of a proxy before the broker. */
  open(more?: AgentChoices): Promise<OpenedAgent>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type AgentChoices = {
  readonly url?: string;
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
  /** What is offered instead of slots for CPU jobs. */
  readonly offer?: OfferPlan;
  readonly clock?: HostClock;
  /** The isolated network of the engine, for jobs to use; else they have none. */
  readonly isolated?: IsolatedNetwork;
  /** What holds claims back beside the engine and the state directory. */
  readonly questions?: readonly AdmissionCheck[];
  readonly oomKills?: () => number | undefined;
  /** How much room the disk of the engine has; else nobody can tell. */
  readonly diskRoom?: (path: string) => DiskRoom | undefined;
};

export type OpenedAgent = {
  readonly agent: Agent;
  readonly journal: Journal;
  readonly runtime: ProcessRuntime;
  /** Closes what the agent stands on, as the end of its process would. */
  close(): Promise<void>;
};

export async function openHouse(
  options: Pick<EmbeddedBrokerOptions, 'leaseSeconds' | 'clock'> = {},
): Promise<House> {
  const broker = new EmbeddedBroker({ token: TOKEN, leaveOutUnwinnable: false, ...options });
  const url = await broker.listen();
  const directory = await mkdtemp(join(tmpdir(), 'agent-house-'));
  const log: string[] = [];
  const events: AgentEvent[] = [];
  const runtimes: ProcessRuntime[] = [];
  const images = new Map<string, string>();
  return {
    broker,
    url,
    directory,
    log,
    events,
    addRun: (code, parameters, more = {}) => {
      const registryPath = more.image ?? CPU_IMAGE;
      const image =
        images.get(registryPath) ??
        broker.store.addImage({ registryPath, requiresGpu: false, runtime: 'node24' });
      images.set(registryPath, image);
      const fn = broker.store.addFunction({ name: 'sample', code, image });
      return broker.store.addRun({ function: fn, parameters, bidPrice: more.bidPrice ?? 0.5 });
    },
    open: async (more = {}) => {
      const opened = await openAgent(url, directory, { log, events }, more);
      runtimes.push(opened.runtime);
      return opened;
    },
    [Symbol.asyncDispose]: async () => {
      for (const runtime of runtimes) await runtime[Symbol.asyncDispose]();
      await broker.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function openAgent(
  url: string,
  directory: string,
  said: { readonly log: string[]; readonly events: AgentEvent[] },
  more: AgentChoices,
): Promise<OpenedAgent> {
  const transport = new Transport(more.url ?? url, { current: () => Promise.resolve(more.token ?? TOKEN) });
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
  const log = logInto(said.log);
  const tell = eventLog(log);
  const agent = new Agent({
    broker: new HttpBroker(transport),
    runtime: more.runtime?.(journal.agentId, runtime) ?? runtime,
    files: new JobFolders(join(stateDir.path, 'jobs')),
    journal: more.journal?.(journal) ?? journal,
    probe: { gpus: () => Promise.resolve(more.gpus ?? []) },
    planOffers: () => ({ offers: [more.offer ?? cpuOffer(more.slots ?? 2)], problems: [] }),
    clock: more.clock ?? systemClock,
    random: Math.random,
    log,
    observe: (event) => {
      said.events.push(event);
      tell(event);
    },
    settings: {
      pollIntervalMs: 100,
      jobTimeoutMs: 30_000,
      imagePatterns: ['sharedcloud/*', 'localhost:5000/sharedcloud/*'],
      diskLimitBytes: 1e9,
      leastFreeBytes: 0,
      killPatienceMs: 30_000,
      once: true,
      ...more.settings,
    },
    network: more.isolated === undefined ? 'none' : 'isolated',
    isolated: more.isolated,
    questions: more.questions ?? [],
    diskRoom: more.diskRoom ?? (() => undefined),
    oomKills: more.oomKills ?? (() => undefined),
    reloadToken: more.reloadToken ?? (() => Promise.resolve(false)),
  });
  return {
    agent,
    journal,
    runtime,
    close: async () => {
      journal.close();
      stateDir.close();
      await transport.close();
    },
  };
}

function cpuOffer(slots: number): OfferPlan {
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
