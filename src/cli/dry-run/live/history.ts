import type { GpuRollup, RollupFigure } from '../../../domain/gpu-rollup.ts';
import { spanStart } from '../../../domain/gpu-rollup.ts';
import type { NewJob } from '../../../domain/job.ts';
import { type GpuLoad, NO_LOAD, steadyFigures } from '../../../embedded/gpu/figures.ts';
import type { SimulatedGpu } from '../../../embedded/gpu/simulated-gpus.ts';
import type { SeededRandom } from '../../../lib/seeded-random.ts';
import { LIVE_SAMPLES, type LiveSample } from './samples.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far back it goes, and from when on by minutes. */
const DAYS = 14;
const MINUTES_SPAN_MS = 2 * DAY_MS;
/** The history ends so long before now, so that nothing of it overlaps with what is about to happen. */
const BEFORE_NOW_MS = 2 * MINUTE_MS;
/** Of the figures that follow slowly: the share of a step. */
const WARMTH = 0.3;

/** A job that is said to have run. Times in milliseconds of the wall clock. */
export type PastJob = NewJob & {
  readonly sample: LiveSample;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly end: LiveSample['end'] | 'released';
  /** What its GPU took, and takes idle. */
  readonly powerW: number;
  readonly idleW: number;
};

/** What is said to have happened before the dry run. */
export type Past = { readonly jobs: readonly PastJob[]; readonly rollups: readonly GpuRollup[] };

/** Makes up two weeks of jobs on GPUs, and what these used. Pure. */
export function pastOf(parts: {
  readonly gpus: readonly SimulatedGpu[];
  readonly image: string;
  readonly askPrice: number;
  readonly now: number;
  readonly random: SeededRandom;
}): Past {
  // Some days have more buyers than others.
  const pauses = Array.from({ length: DAYS + 1 }, () => parts.random.between(0.5, 3.5));
  const jobs = parts.gpus.flatMap((gpu) => [...jobsOn(gpu, pauses, parts)]);
  const rollups = parts.gpus.flatMap((gpu) => [
    ...rollupsOf(
      gpu,
      jobs.filter((job) => job.gpu === gpu.uuid),
      parts.now,
    ),
  ]);
  return { jobs: jobs.sort((a, b) => a.startedAt - b.startedAt), rollups };
}

function* jobsOn(
  gpu: SimulatedGpu,
  pauses: readonly number[],
  { askPrice, image, now, random }: Parameters<typeof pastOf>[0],
): Generator<PastJob> {
  const { idleW, model, uuid } = gpu;
  const end = now - BEFORE_NOW_MS;
  for (let at = now - DAYS * DAY_MS; ; ) {
    const isNight = new Date(at).getHours() < 7;
    const day = Math.floor((now - at) / DAY_MS);
    at += random.between(3, 30) * MINUTE_MS * (isNight ? 3 : 1) * (pauses[day] ?? 1);
    const sample = sampleBy(random.next());
    const timeoutMs = 90 * MINUTE_MS;
    const ranMs = sample.end === 'timeout' ? timeoutMs : random.between(9, 75) * MINUTE_MS;
    const isReleased = random.next() < 0.015;
    if (at + ranMs > end) return;
    yield {
      sample,
      uuid: uuidBy(random),
      run: uuidBy(random),
      functionName: sample.name,
      offerKey: `gpu:${model}`,
      // So nobody takes it for a job that the broker knows.
      instance: 'made up by the dry run',
      slot: `${uuid}#0`,
      gpu: uuid,
      askPrice,
      image,
      timeoutMs,
      startedAt: Math.round(at),
      endedAt: Math.round(at + ranMs),
      end: isReleased ? 'released' : sample.end,
      powerW: steadyFigures(gpu, sample.load).powerW,
      idleW,
    };
    at += ranMs;
  }
}

/** Failures and timeouts are rare. */
function sampleBy(chance: number): LiveSample {
  const [fails, endless] = [
    LIVE_SAMPLES.find(({ end }) => end === 'failed'),
    LIVE_SAMPLES.find(({ end }) => end === 'timeout'),
  ];
  if (fails !== undefined && chance < 0.05) return fails;
  if (endless !== undefined && chance < 0.07) return endless;
  const good = LIVE_SAMPLES.filter(({ end }) => end === 'succeeded');
  const sample = good[Math.floor(chance * 1_000) % good.length];
  if (sample === undefined) throw new Error('no sample succeeds');
  return sample;
}

/** Hours, and of the last two days minutes: what jobs ask for in each is what its GPU did. */
function* rollupsOf(gpu: SimulatedGpu, jobs: readonly PastJob[], now: number): Generator<GpuRollup> {
  const fine = spanStart(now - MINUTES_SPAN_MS, HOUR_MS);
  let { temperatureC } = steadyFigures(gpu, NO_LOAD);
  for (let start = spanStart(now - DAYS * DAY_MS, HOUR_MS); ; ) {
    const spanMs = start < fine ? HOUR_MS : MINUTE_MS;
    if (start + spanMs > now) return;
    const { most, share } = loadIn(jobs, start, spanMs);
    const load = {
      utilizationPercent: most.utilizationPercent * share,
      memoryMiB: most.memoryMiB * share,
    };
    const mean = steadyFigures(gpu, load);
    const peak = steadyFigures(gpu, most);
    temperatureC += (mean.temperatureC - temperatureC) * (spanMs === HOUR_MS ? 1 : WARMTH);
    yield {
      gpu: gpu.uuid,
      start,
      coveredMs: spanMs,
      figures: {
        utilizationPercent: figure(spanMs, mean.utilizationPercent, peak.utilizationPercent),
        powerW: figure(spanMs, mean.powerW, peak.powerW),
        temperatureC: figure(spanMs, temperatureC, Math.max(temperatureC, mean.temperatureC)),
        memoryUsedMiB: figure(spanMs, load.memoryMiB + 12, most.memoryMiB + 12),
      } satisfies Record<RollupFigure, unknown>,
    };
    start += spanMs;
  }
}

function figure(knownMs: number, mean: number, max: number) {
  return { knownMs, integral: (mean * knownMs) / 1_000, max };
}

/** The load of the jobs in a span of time, and for how much of it one ran. */
function loadIn(
  jobs: readonly PastJob[],
  start: number,
  spanMs: number,
): { readonly most: GpuLoad; readonly share: number } {
  let most = NO_LOAD;
  let busyMs = 0;
  for (const { endedAt, sample, startedAt } of jobs) {
    const ms = Math.min(endedAt, start + spanMs) - Math.max(startedAt, start);
    if (ms <= 0) continue;
    busyMs += ms;
    if (sample.load.utilizationPercent > most.utilizationPercent) most = sample.load;
  }
  return { most, share: Math.min(busyMs / spanMs, 1) };
}

function uuidBy(random: SeededRandom): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random.next() * 16).toString(16)).join('');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`;
}
