import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RunningContainers } from '../../../../src/agent/admission/running-containers.ts';
import { ForeignGpuUse } from '../../../../src/agent/presence/foreign-gpu-use.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type {
  ForeignUse,
  ProcessOwner,
  ProcessRound,
  SeenProcess,
} from '../../../../src/domain/foreign-use.ts';
import type { GpuSample } from '../../../../src/domain/gpu-sample.ts';
import type { GpuProcesses } from '../../../../src/domain/ports/gpu-processes.ts';
import { CgroupOwners } from '../../../../src/host/process-owners.ts';
import { aSample, ManualSampler } from '../../../support/agent/manual-sampler.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';

const [DISPLAY, OTHER] = ['GPU-display', 'GPU-other'];
const BOTH = new Map([
  [0, DISPLAY],
  [1, OTHER],
]);
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Follows as a test says. */
class ManualProcesses implements GpuProcesses {
  readonly followed: number[][] = [];
  #onRound: (round: ProcessRound) => void = () => undefined;
  #end = Promise.withResolvers<void>();

  follow(gpus: ReadonlyMap<number, string>, onRound: (round: ProcessRound) => void): Promise<void> {
    this.followed.push([...gpus.keys()]);
    this.#onRound = onRound;
    this.#end = Promise.withResolvers();
    return this.#end.promise;
  }

  /** A round of these processes on all GPUs, or on these. */
  round(processes: readonly SeenProcess[], gpus: readonly string[] = [DISPLAY, OTHER]): void {
    this.#onRound({ processes, gpus: new Set(gpus) });
  }

  async fail(): Promise<void> {
    this.#end.reject(new AgentError('GPU_PROBE_FAILED', 'GPU is lost'));
    await Promise.allSettled([this.#end.promise]);
    await Promise.resolve();
  }
}

function process(pid: number, more: Partial<SeenProcess> = {}): SeenProcess {
  return { pid, gpu: DISPLAY, type: 'G', name: 'vkquake', usedMiB: 2100, smPercent: 60, ...more };
}

/** Ids from 100 on are of our containers, as long as one runs. */
function scenario({ areIdsShared = true }: { readonly areIdsShared?: boolean } = {}) {
  const clock = new ManualClock(0);
  const processes = new ManualProcesses();
  const samples = new ManualSampler();
  const host = { containers: new Array<string>(), asked: new Array<number>(), isIdle: true, forged: 0 };
  const ownerOf = (pid: number): ProcessOwner => {
    host.asked.push(pid);
    if (pid >= 100) return host.containers.length > 0 ? 'ours' : 'unknown';
    return 'foreign';
  };
  const use = new ForeignGpuUse({
    processes,
    samples,
    owners: { areIdsShared, exists: (pid) => pid !== host.forged, among: () => ownerOf },
    containers: {
      areKnown: true,
      get ids() {
        return host.containers;
      },
    },
    isIdle: () => host.isIdle,
    clock,
    random: () => 1,
    log: SILENT,
  });
  return { host, ...working(use, { clock, processes, samples }) };
}

/** Begins its work, until `stop`. */
function working<T extends object>(use: ForeignGpuUse, parts: T) {
  const ended = new AbortController();
  const work = use.work(ended.signal);
  const watch = async (gpus: ReadonlyMap<number, string>): Promise<void> => {
    use.watch(gpus);
    await Promise.resolve();
    await Promise.resolve();
  };
  return {
    ...parts,
    use,
    watch,
    stop: () => {
      ended.abort();
      return work;
    },
  };
}

function sample(more: Partial<GpuSample>): GpuSample {
  return aSample({ uuid: DISPLAY, utilizationPercent: 1, memoryUsedMiB: 800, displayActive: true, ...more });
}

describe('foreign use of a GPU', () => {
  test('is unknown before the first round, and until a process that computes could have shown', async () => {
    const { processes, use, watch } = scenario();
    await watch(BOTH);
    expect(use.use(DISPLAY)).toMatchObject({ state: 'unknown' });
    processes.round([]);
    expect(use.use(DISPLAY)).toMatchObject({ state: 'unknown' });
    processes.round([]);
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
  });

  test('shows in the first round with a game, and only on its GPU', async () => {
    const { processes, use, watch } = scenario();
    await watch(BOTH);
    processes.round([process(7)]);
    processes.round([process(7)]);
    expect(use.use(DISPLAY)).toMatchObject({ state: 'used', by: [{ pid: 7, type: 'G' }] });
    expect(use.use(OTHER)).toEqual({ state: 'quiet' });
  });

  test('is none by our own jobs, and each of their processes is looked up once', async () => {
    const { host, processes, use, watch } = scenario();
    host.containers = ['job'];
    await watch(BOTH);
    for (let round = 0; round < 5; round += 1) processes.round([process(100, { type: 'C' })]);
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
    expect(host.asked).toEqual([100]);
  });

  test('is none by a process that does not exist, such as one of a forged row', async () => {
    const { host, processes, use, watch } = scenario();
    host.forged = 8;
    await watch(BOTH);
    for (let round = 0; round < 3; round += 1) processes.round([process(8)]);
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
  });

  test('is none by a job whose container has ended, whose process is still shown', async () => {
    const { host, processes, use, watch } = scenario();
    host.containers = ['job'];
    await watch(BOTH);
    processes.round([process(100)]);
    host.containers = [];
    processes.round([process(100), process(101)]);
    expect(use.use(DISPLAY)).toMatchObject({ state: 'unknown' });
    processes.round([]);
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
  });

  test('is unknown of the GPU that is missing in the rounds of a failing query, and known of the other', async () => {
    const { clock, processes, use, watch } = scenario();
    await watch(BOTH);
    for (let round = 0; round < 10; round += 1) {
      clock.advance(1000);
      processes.round([], round < 2 ? [DISPLAY, OTHER] : [DISPLAY]);
    }
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
    expect(use.use(OTHER)).toMatchObject({ state: 'unknown' });
  });

  test('is unknown once the query fails', async () => {
    const { processes, use, watch } = scenario();
    await watch(BOTH);
    processes.round([]);
    processes.round([]);
    await processes.fail();
    expect(use.use(DISPLAY)).toMatchObject({ state: 'unknown', why: 'GPU is lost' });
  });

  test('is read only of GPUs that are watched', async () => {
    const { processes, stop, watch } = scenario();
    expect(processes.followed).toEqual([]);
    await watch(new Map([[1, OTHER]]));
    expect(processes.followed).toEqual([[1]]);
    await Promise.race([stop(), Promise.resolve()]);
  });

  test('is none on a GPU that is powered down, which is not woken', async () => {
    const { processes, samples, use, watch } = scenario();
    samples.allAsleep = true;
    await watch(BOTH);
    expect(processes.followed).toEqual([]);
    expect(use.use(DISPLAY)?.state).not.toBe('used');
  });
});

describe('a job that outlasted the agent before', () => {
  const [JOB, PID] = ['a'.repeat(64), 101];

  /** Its process on a host whose containers the engine has not listed yet. */
  async function adopted(files: Readonly<Record<string, string>>) {
    const root = await mkdtemp(join(tmpdir(), 'adopted-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    await mkdir(join(root, 'proc/self/ns'), { recursive: true });
    await symlink('pid:[4026531836]', join(root, 'proc/self/ns/pid'));
    const parts = { clock: new ManualClock(0), processes: new ManualProcesses() };
    const containers = new RunningContainers();
    const use = new ForeignGpuUse({
      ...parts,
      samples: undefined,
      owners: new CgroupOwners({
        cgroups: join(root, 'cgroups'),
        proc: join(root, 'proc'),
        exists: () => true,
      }),
      containers,
      isIdle: () => false,
      random: () => 1,
      log: SILENT,
    });
    const { watch } = working(use, {});
    await watch(BOTH);
    const round = (): ForeignUse | undefined => {
      parts.processes.round([process(PID, { type: 'C' })]);
      return use.use(DISPLAY);
    };
    return { containers, round };
  }

  const HOSTS = [
    ['where it is seen', { [`proc/${PID}/cgroup`]: `0::/system.slice/docker-${JOB}.scope\n` }],
    ['where it is hidden', { [`cgroups/pids/docker/${JOB}/cgroup.procs`]: `${PID}\n` }],
  ] as const;

  test.each(HOSTS)('is not foreign before the engine has listed it, %s', async (_, files) => {
    const { containers, round } = await adopted(files);
    for (let second = 0; second < 5; second += 1) expect(round()).toMatchObject({ state: 'unknown' });
    containers.listed([{ id: JOB, job: 'job', state: 'running', startedAt: undefined }]);
    expect(round()).toEqual({ state: 'quiet' });
  });

  test.each(HOSTS)('does not stay foreign if it is listed late, %s', async (_, files) => {
    const { containers, round } = await adopted(files);
    containers.listed([]);
    round();
    expect(round()).toMatchObject({ state: 'used' });
    containers.listed([{ id: JOB, job: 'job', state: 'running', startedAt: undefined }]);
    expect(round()).toEqual({ state: 'quiet' });
  });
});

describe('where process ids are hidden, as inside a container', () => {
  test('the GPU as a whole shows it, by what it had before', async () => {
    const { processes, samples, use, watch } = scenario({ areIdsShared: false });
    await watch(BOTH);
    expect({ watchers: samples.watchers, followed: processes.followed }).toEqual({
      watchers: 1,
      followed: [],
    });
    samples.give(sample({}));
    samples.give(sample({ memoryUsedMiB: 1300 }));
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
    samples.give(sample({ memoryUsedMiB: 1301 }));
    expect(use.use(DISPLAY)).toMatchObject({ state: 'used' });
  });

  test('our own jobs are never foreign: nothing is said while one runs, nor while its memory may still be in use', async () => {
    const { clock, host, samples, use, watch } = scenario({ areIdsShared: false });
    await watch(BOTH);
    samples.give(sample({}));
    samples.give(sample({}));
    host.isIdle = false;
    samples.give(sample({ memoryUsedMiB: 9000, utilizationPercent: 99 }));
    expect(use.use(DISPLAY)).toBeUndefined();
    host.isIdle = true;
    clock.advance(2000);
    samples.give(sample({ memoryUsedMiB: 9000 }));
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
    clock.advance(10_000);
    samples.give(sample({}));
    expect(use.use(DISPLAY)).toEqual({ state: 'quiet' });
  });
});
