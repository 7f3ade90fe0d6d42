import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import { GpuHealth } from '../../../src/agent/gpu-health/gpu-health.ts';
import { ImageUses } from '../../../src/agent/images/image-uses.ts';
import type { AgentError } from '../../../src/domain/errors.ts';
import type { Gpu, GpuNotice, GpuReading } from '../../../src/domain/gpu.ts';
import type { GpuProcess } from '../../../src/domain/gpu-memory.ts';
import { type FinalStatus, JOB_STATUS, type JobRecord } from '../../../src/domain/job.ts';
import type { HostMemory } from '../../../src/domain/ports/host.ts';
import type { ContainerPlan, Runtime } from '../../../src/domain/ports/runtime.ts';
import type { Xid } from '../../../src/domain/xid.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import { aFunction, aNewJob } from '../domain.ts';
import { ManualSampler } from './manual-sampler.ts';
import { withOther } from './with-other.ts';

const IMAGE = 'sharedcloud/node24:latest';
const BROKER = 'http://127.0.0.1:1';
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** GPU health with simulated GPUs and canaries that are real processes. */
export type GpuScenario = AsyncDisposable & {
  readonly health: GpuHealth;
  readonly samples: ManualSampler;
  /** The answer to the next probes: GPUs, an error, or none. */
  probed: readonly Gpu[] | Error | 'hangs';
  processes: readonly GpuProcess[];
  /** The GPUs of the test containers so far, and why the next ones fail. */
  readonly tested: string[];
  testError: AgentError | undefined;
  /** The host's memory, for GPUs that share it. */
  hostMemory: HostMemory | undefined;
  /** What else nvidia-smi says. */
  notices: readonly GpuNotice[];
  /** The GPUs that get no new jobs. */
  readonly cordons: () => readonly string[];
  readonly events: AgentEvent[];
  /** The kinds of the events. */
  readonly kinds: () => readonly string[];
  readonly xid: (number: number, gpu: Gpu, text?: string) => void;
  /** Lets canaries fail, or pass again. */
  readonly letFail: (fail: boolean) => Promise<void>;
  /** The containers that were created. */
  readonly plans: ContainerPlan[];
  /** Containers and files of canaries that are not removed. */
  readonly left: () => Promise<readonly unknown[]>;
  readonly start: (job: JobRecord) => void;
  readonly end: (job: JobRecord, status?: FinalStatus, durationMs?: number) => void;
};

/** A job on this GPU. */
export function aJobOn(gpu: Gpu | string, uuid: string, run = `run of ${uuid}`): JobRecord {
  const on = typeof gpu === 'string' ? gpu : gpu.uuid;
  return { ...aNewJob({ uuid, run, gpu: on }), state: { name: 'claimed' }, claimedAt: 0, updatedAt: 0 };
}

/** The clock runs `speed` times as fast as real time. */
export async function openGpuScenario(
  gpus: readonly Gpu[],
  {
    maxGpuTemperature = {},
    speed = 1,
  }: { readonly speed?: number; readonly maxGpuTemperature?: Readonly<Record<string, number>> } = {},
): Promise<GpuScenario> {
  const directory = await mkdtemp(join(tmpdir(), 'gpu-scenario-'));
  const flag = join(directory, 'fail');
  const clock = { now: () => Date.now(), monotonic: () => performance.now() * speed };
  const failing = `[ ! -e '${flag}' ] || { echo no such luck >&2; exit 3; }; exec '${process.execPath}' -e "$0"`;
  const processes = new ProcessRuntime({
    interpreters: { [IMAGE]: ['/bin/sh', '-c', failing] },
    brokerUrl: BROKER,
    embeddedBrokerUrl: BROKER,
    workDir: directory,
    path: process.env['PATH'] ?? '',
    clock,
  });
  const plans: ContainerPlan[] = [];
  const runtime = withOther<Runtime>(processes, {
    create: (plan) => {
      plans.push(plan);
      return processes.create(plan);
    },
  });
  const files = new JobFolders(join(directory, 'jobs'));
  const over = new AbortController();
  const sink: { xid?: (xid: Xid) => void } = {};
  const events: AgentEvent[] = [];
  const samples = new ManualSampler();
  let cordons: ReadonlySet<string> = new Set();
  const offered = new Set(
    gpus.flatMap(({ slices, uuid }) => (slices.length > 0 ? slices.map((slice) => slice.uuid) : [uuid])),
  );
  const read = (): Promise<GpuReading> => {
    if (scenario.probed === 'hangs') return Promise.withResolvers<never>().promise;
    return scenario.probed instanceof Error
      ? Promise.reject(scenario.probed)
      : Promise.resolve({ gpus: scenario.probed, notices: scenario.notices });
  };
  const health = new GpuHealth({
    uses: new ImageUses(),
    runtime,
    files,
    random: Math.random,
    log: SILENT,
    clock,
    detach: over.signal,
    market: over.signal,
    samples,
    probe: { read, processes: () => Promise.resolve(scenario.processes) },
    testGpu: (gpu) => {
      scenario.tested.push(gpu);
      return scenario.testError === undefined ? Promise.resolve(true) : Promise.reject(scenario.testError);
    },
    kernelLog: {
      follow: (xid, signal) => {
        sink.xid = xid;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    },
    gpuProbeMs: 7_000,
    minFreeGpuMemory: { part: 0.1 },
    maxGpuTemperature: ({ model }) => maxGpuTemperature[model] ?? Number.POSITIVE_INFINITY,
    hostMemory: () => scenario.hostMemory,
    observe: (event) => events.push(event),
    resources: () => ({ memoryBytes: 1e8, cpus: 1 }),
    vulnerabilities: undefined,
    slots: {
      gpus: offered,
      cordon: (uuids) => {
        cordons = uuids === 'all' ? offered : uuids;
      },
      limitToOneJob: () => undefined,
    },
    waitMs: (failures) => Math.min(failures, 1) * 100,
  });
  const scenario: GpuScenario = {
    health,
    samples,
    probed: gpus,
    processes: [],
    notices: [],
    hostMemory: undefined,
    tested: [],
    testError: undefined,
    events,
    plans,
    cordons: () => [...cordons].sort(),
    kinds: () => events.map(({ kind }) => kind),
    xid: (number, { busId }, text = '') => sink.xid?.({ busId: busId.slice(4, -2), number, text }),
    letFail: (fail) => (fail ? writeFile(flag, '') : rm(flag, { force: true })),
    left: async () => [...(await processes.list()), ...(await files.list())],
    start: (job) => {
      health.jobClaimed(job, aFunction({ runtime: 'node24', registryPath: IMAGE }));
      health.jobStarted(job);
    },
    end: (job, status = JOB_STATUS.SUCCEEDED, durationMs = 1_000) => {
      const report = { status, buildLogs: '', stdout: '', stderr: '', result: '' };
      health.jobEnded(job, { kind: 'reported', report, durationMs });
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await working;
      await processes[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await health.gpus();
  const working = health.work();
  await Promise.resolve();
  return scenario;
}
