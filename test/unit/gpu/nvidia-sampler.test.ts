import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { GpuSample } from '../../../src/domain/gpu-sample.ts';
import { NvidiaSampler, type NvidiaSamplerDeps } from '../../../src/gpu/nvidia-sampler.ts';
import { NvidiaSmi } from '../../../src/gpu/nvidia-smi.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { aGpu } from '../../support/domain.ts';
import { logged, logInto } from '../../support/log/log-into.ts';
import { changed, TWO_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const SOON = { timeout: 30_000, interval: 10 };
const GPU = aGpu({ uuid: 'GPU-1' });

/** Everything that takes seconds goes fast, but for waits that a test is not about. In milliseconds. */
const FAST = { intervalMs: 20, lingerMs: 10, againMs: 20, backoff: { initialMs: 20, maxMs: 40 } };

type Sampling = AsyncDisposable & {
  readonly sampler: NvidiaSampler;
  readonly samples: GpuSample[];
  readonly log: string[];
  /** The arguments of each call so far. */
  readonly calls: () => readonly string[];
  /** The process ids of the loops so far. */
  readonly pids: () => readonly number[];
  /** What the script finds as `$0.up` from now on. */
  readonly comeUp: () => Promise<void>;
  readonly end: () => Promise<void>;
};

/** Samples with a script whose loop, single call and help are these shell lines. */
async function sampling(
  { help = `printf '"uuid"\\n"temperature.gpu"\\n'`, loop = LOOP, once = 'echo 41, GPU-1' },
  more: Partial<NvidiaSamplerDeps> = {},
): Promise<Sampling> {
  const directory = await mkdtemp(join(tmpdir(), 'sampler-'));
  const program = join(directory, 'nvidia-smi');
  const body = `#!/bin/sh
echo "$*" >>"$0.calls"
case "$*" in
  --help-query-gpu) ${help} ;;
  *-lms*) echo $$ >>"$0.pids"; ${loop} ;;
  *) ${once} ;;
esac
`;
  await writeFile(program, body, { mode: 0o755 });
  const over = new AbortController();
  const log: string[] = [];
  const sampler = new NvidiaSampler({
    smi: new NvidiaSmi({ program }),
    program,
    platform: 'linux',
    clock: systemClock,
    deadlineMs: 30_000,
    isAsleep: () => false,
    log: logInto(log),
    ...more,
    timing: { ...FAST, ...more.timing },
  });
  const samples: GpuSample[] = [];
  sampler.sampled.subscribe((some) => samples.push(...some));
  sampler.learn([GPU]);
  const working = sampler.work(over.signal);
  const pids = (): readonly number[] => linesOf(`${program}.pids`).map(Number);
  const end = async (): Promise<void> => {
    over.abort();
    await working;
  };
  return {
    sampler,
    samples,
    log,
    end,
    calls: () => linesOf(`${program}.calls`),
    pids,
    comeUp: () => writeFile(`${program}.up`, ''),
    [Symbol.asyncDispose]: async () => {
      await end();
      await vi.waitFor(() => expect(pids().filter(isAlive)).toEqual([]), SOON);
      await rm(directory, { recursive: true });
    },
  };
}

const LOOP = 'while echo 50, GPU-1; do sleep 0.02; done';

function linesOf(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const loopsOf = ({ calls }: Sampling): number => calls().filter((call) => call.includes('-lms')).length;

describe('the sampler', () => {
  test('asks once a minute while nobody watches', async () => {
    await using slow = await sampling({}, { timing: { slowMs: 50 } });
    await vi.waitFor(() => expect(slow.samples.length).toBeGreaterThan(2), SOON);
    expect(loopsOf(slow)).toBe(0);
    expect(slow.sampler.latest('GPU-1')).toMatchObject({ temperatureC: 41, asleep: false });
  });

  test('follows one process while somebody watches, and ends it when the last one leaves', async () => {
    await using fast = await sampling({});
    const watching = [fast.sampler.watch(), fast.sampler.watch()];
    await vi.waitFor(() => expect(fast.samples.length).toBeGreaterThan(5), SOON);
    watching[0]?.[Symbol.dispose]();
    watching[0]?.[Symbol.dispose]();
    const before = fast.samples.length;
    await vi.waitFor(() => expect(fast.samples.length).toBeGreaterThan(before + 5), SOON);
    expect(loopsOf(fast)).toBe(1);
    watching[1]?.[Symbol.dispose]();
    await vi.waitFor(() => expect(fast.pids().filter(isAlive)).toEqual([]), SOON);
    expect(logged(fast.log, 'gpu-sampling-failed')).toEqual([]);
    fast.sampler.watch();
    await vi.waitFor(() => expect(loopsOf(fast)).toBe(2), SOON);
  });

  test('starts nothing before it knows a GPU, and nothing where there is none', async () => {
    await using none = await sampling({}, { timing: { slowMs: 20 } });
    await vi.waitFor(() => expect(none.samples.length).toBeGreaterThan(0), SOON);
    none.sampler.learn([]);
    none.sampler.watch();
    await vi.waitFor(() => expect(none.sampler.latest('GPU-1')).toBeUndefined(), SOON);
    await none.end();
    expect(loopsOf(none)).toBe(0);
  });

  test('leaves GPUs asleep, and says so', async () => {
    let asleep = true;
    await using sleeping = await sampling({}, { isAsleep: () => asleep });
    sleeping.sampler.watch();
    await vi.waitFor(() => expect(sleeping.samples.length).toBeGreaterThan(3), SOON);
    expect(sleeping.calls()).toEqual([]);
    expect(sleeping.sampler.latest('GPU-1')).toMatchObject({ asleep: true, temperatureC: undefined });
    asleep = false;
    await vi.waitFor(() => expect(sleeping.sampler.latest('GPU-1')?.temperatureC).toBe(50), SOON);
  });

  test('answers for a slice with its GPU, and takes no row of an unknown one', async () => {
    await using rows = await sampling({
      loop: 'while echo 50, GPU-1 && echo 60, GPU-2; do sleep 0.02; done',
    });
    rows.sampler.learn([{ ...GPU, slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] }]);
    rows.sampler.watch();
    await vi.waitFor(() => expect(rows.samples.length).toBeGreaterThan(2), SOON);
    expect(rows.sampler.latest('MIG-1')?.uuid).toBe('GPU-1');
    expect(rows.sampler.latest('GPU-2')).toBeUndefined();
    expect(new Set(rows.samples.map(({ uuid }) => uuid))).toEqual(new Set(['GPU-1']));
  });
});

describe('a driver that fails', () => {
  test('is asked again, for what it knows as well, and its end is logged once', async () => {
    const loop =
      '[ -e "$0.up" ] || { echo GPU is lost; exit 15; }; while echo 50, GPU-1; do sleep 0.02; done';
    await using lost = await sampling(
      { loop, once: 'echo GPU is lost; exit 15' },
      { timing: { steadyMs: 50 } },
    );
    lost.sampler.watch();
    await vi.waitFor(() => expect(loopsOf(lost)).toBeGreaterThan(3), SOON);
    expect(lost.sampler.latest('GPU-1')).toBeUndefined();
    expect(logged(lost.log, 'gpu-sampling-failed')).toMatchObject([
      { level: 'warn', code: 'GPU_PROBE_FAILED' },
    ]);
    await lost.comeUp();
    await vi.waitFor(() => expect(logged(lost.log, 'gpu-sampling-recovered')).toHaveLength(1), SOON);
    expect(lost.calls().filter((call) => call === '--help-query-gpu').length).toBeGreaterThan(2);
  });

  test('and ends after its rows is started again with the figures still known', async () => {
    await using restarted = await sampling({ loop: 'echo 50, GPU-1; echo GPU is lost; exit 15' });
    restarted.sampler.watch();
    await vi.waitFor(() => expect(loopsOf(restarted)).toBeGreaterThan(3), SOON);
    expect(restarted.sampler.latest('GPU-1')?.temperatureC).toBe(50);
  });

  test('and falls silent is killed, asked singly, and never has a second process', async () => {
    await using silent = await sampling({ loop: 'sleep 1000' }, { deadlineMs: 60, timing: { silentMs: 60 } });
    silent.sampler.watch();
    await vi.waitFor(() => {
      expect(silent.pids().filter(isAlive).length).toBeLessThan(2);
      expect(loopsOf(silent)).toBeGreaterThan(2);
    }, SOON);
    await vi.waitFor(() => expect(silent.samples.length).toBeGreaterThan(1), SOON);
    expect(logged(silent.log, 'gpu-sampling-failed')[0]).toMatchObject({ code: 'GPU_PROBE_HUNG' });
  });

  test('is not taken for silent while this process itself is busy or stopped', async () => {
    await using busy = await sampling({}, { timing: { silentMs: 1_500 } });
    busy.sampler.watch();
    await vi.waitFor(() => expect(busy.samples.length).toBeGreaterThan(2), SOON);
    const before = busy.samples.length;
    // Timers run next, before anything is read.
    await new Promise<void>((done) => {
      setImmediate(() => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_800);
        done();
      });
    });
    await vi.waitFor(() => expect(busy.samples.length).toBeGreaterThan(before + 2), SOON);
    expect(loopsOf(busy)).toBe(1);
    expect(logged(busy.log, 'gpu-sampling-failed')).toEqual([]);
  });

  test('and prints without end is stopped', async () => {
    await using flood = await sampling({ loop: 'exec yes 50, GPU-1' });
    flood.sampler.watch();
    await vi.waitFor(() => expect(loopsOf(flood)).toBeGreaterThan(2), SOON);
    expect(logged(flood.log, 'gpu-sampling-failed')[0]).toMatchObject({ code: 'GPU_PROBE_FAILED' });
  });

  test('and prints a line without end is stopped', async () => {
    await using endless = await sampling({ loop: 'exec tr "\\0" x </dev/zero' });
    endless.sampler.watch();
    await vi.waitFor(() => expect(loopsOf(endless)).toBeGreaterThan(2), SOON);
  });

  test('is no failure where the program knows no loop and ends by itself', async () => {
    await using single = await sampling({ loop: 'echo 50, GPU-1' });
    single.sampler.watch();
    await vi.waitFor(() => expect(single.samples.length).toBeGreaterThan(4), SOON);
    expect(logged(single.log, 'gpu-sampling-failed')).toEqual([]);
  });

  test('has lines that come in parts, with others between them', async () => {
    const loop = `while printf '5'; do sleep 0.01; printf '0, GPU-1\\r\\nWARNING: infoROM\\n\\n5, 5, GPU-1\\n'; sleep 0.01; done`;
    await using parts = await sampling({ loop, once: 'echo 50, GPU-1' });
    parts.sampler.watch();
    await vi.waitFor(() => expect(parts.samples.length).toBeGreaterThan(4), SOON);
    expect(new Set(parts.samples.map(({ temperatureC }) => temperatureC))).toEqual(new Set([50]));
  });
});

test('the stand-in shows other temperatures round by round', async () => {
  await using smi = await standIn({
    ...changed(TWO_T4, 1, { 'temperature.gpu': '30' }),
    rounds: [{ 'temperature.gpu': '60' }, { 'temperature.gpu': '70' }, { 'temperature.gpu': '80' }],
  });
  const over = new AbortController();
  const sampler = new NvidiaSampler({
    smi: new NvidiaSmi(smi),
    program: smi.program,
    platform: 'linux',
    clock: systemClock,
    deadlineMs: 30_000,
    isAsleep: () => false,
    log: logInto([]),
    timing: { intervalMs: 50 },
  });
  const uuid = TWO_T4.gpus[0]?.cells['uuid'] ?? '';
  sampler.learn([{ ...GPU, uuid }]);
  sampler.watch();
  const seen: (number | undefined)[] = [];
  sampler.sampled.subscribe((samples) => seen.push(...samples.map(({ temperatureC }) => temperatureC)));
  const working = sampler.work(over.signal);
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(3), SOON);
  over.abort();
  await working;
  expect(seen.slice(0, 4)).toEqual([60, 70, 80, 80]);
});
