import { elapsedMs } from '../../domain/boot-time.ts';
import { asAgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { JobRecord } from '../../domain/job.ts';
import { type JobEnergy, jobEnergyOf, type PricedEnergy, unmeasured } from '../../domain/job-energy.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { EnergyStore, JobMeter } from '../../domain/ports/energy-store.ts';
import { type PowerModel, powerModelOf } from '../../domain/power-model.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { Electricity } from '../../pricing/electricity.ts';
import { pricedEnergy } from '../../pricing/job-power.ts';
import type { GpuUse, RollupRecorder } from '../gpu-health/rollup-recorder.ts';
import { factsOf, type GpuFacts } from './gpu-facts.ts';
import { IdleEnergy } from './idle-energy.ts';
import { MeasuredPowers } from './measured-powers.ts';

/** Between two writes. In milliseconds. */
const WRITE_MS = 60_000;
/** A job that was measured for less says nothing about the power of jobs: it has hardly begun. */
const MIN_BUSY_MS = 10_000;

export type EnergyMeterDeps = {
  readonly store: EnergyStore;
  readonly recorder: Pick<RollupRecorder, 'split' | 'used'>;
  readonly electricity: Electricity;
  readonly clock: HostClock;
  readonly log: Log;
  /** Aborted when the daemon ends: what is not written yet is written then. */
  readonly signal: AbortSignal;
};

/** A job on a GPU. */
type Metered = {
  readonly gpu: string;
  /** Its start by the monotonic clock, as if that had run before this agent. */
  readonly startedAt: number;
  /** By all of this its sums are exact: a sensor that sees all the time, and idle watts that are known. */
  isExact: boolean;
  joules: number;
  idleJoules: number;
  coveredMs: number;
  /** Undefined: it runs. */
  ended: PricedEnergy | undefined;
};

/**
 * Measures what jobs take, by the use of GPUs piece by piece: a piece is of the jobs that are on the GPU, each with its share,
 * or of none. Writes once a minute what runs on; the end of a job is written by the journal, which asks for it.
 */
export class EnergyMeter implements JobMeter {
  readonly #deps: EnergyMeterDeps;
  readonly #jobs = new Map<string, Metered>();
  /** Of an earlier agent, as far as they were not taken up. */
  readonly #open: Map<string, JobEnergy>;
  readonly #idle: IdleEnergy;
  readonly #powers: MeasuredPowers;
  readonly #problem = new OncePerChange();
  #facts: ReadonlyMap<string, GpuFacts> = new Map();
  #writtenAt: number;

  /** Throws what the journal throws. */
  constructor(deps: EnergyMeterDeps) {
    this.#deps = deps;
    const { clock, electricity, recorder, signal, store } = deps;
    this.#open = new Map(store.open());
    this.#powers = new MeasuredPowers(store.power());
    this.#idle = new IdleEnergy(electricity);
    this.#writtenAt = clock.monotonic();
    store.meterBy(this);
    recorder.used.subscribe((use) => this.#take(use));
    signal.addEventListener('abort', () => this.#write(), { once: true });
  }

  /** The GPUs and slices of this host. */
  learn(gpus: readonly Gpu[]): void {
    this.#facts = new Map([...this.#facts, ...factsOf(gpus)]);
  }

  /** The job's container runs on its GPU, from now on or for some time already. */
  started({ gpu, state, uuid }: JobRecord): void {
    if (gpu === null || this.#jobs.has(uuid)) return;
    const { clock } = this.#deps;
    const before = this.#open.get(uuid);
    this.#open.delete(uuid);
    this.#deps.recorder.split(this.#parentOf(gpu));
    const hasStarted = state.name === 'running' || state.name === 'starting';
    const ranMs = hasStarted ? elapsedMs(state.since, clock.bootTime()) : undefined;
    const byWallClock = state.name === 'running' ? Math.max(clock.now() - state.startedAt, 0) : 0;
    const { coveredMs, idleJoules, joules } = before ?? unmeasured(0);
    this.#jobs.set(uuid, {
      gpu,
      startedAt: clock.monotonic() - (ranMs ?? byWallClock),
      isExact: before === undefined || !before.isEstimate,
      joules,
      idleJoules,
      coveredMs,
      ended: undefined,
    });
  }

  ended({ uuid }: JobRecord, durationMs: number | undefined): PricedEnergy | undefined {
    const { clock, electricity, recorder } = this.#deps;
    const job = this.#jobs.get(uuid);
    const before = this.#open.get(uuid);
    if (job === undefined)
      return (
        before && pricedEnergy(jobEnergyOf(before, durationMs ?? before.ms, false), electricity, clock.now())
      );
    if (job.ended !== undefined) return job.ended;
    recorder.split(this.#parentOf(job.gpu));
    this.#powers.busy(this.#parentOf(job.gpu), clock.monotonic());
    job.ended = pricedEnergy(this.#energyOf(job, durationMs), electricity, clock.now());
    return job.ended;
  }

  /** Its end is written, or this host has given it up. */
  over({ uuid }: JobRecord): void {
    const job = this.#jobs.get(uuid);
    this.#jobs.delete(uuid);
    this.#open.delete(uuid);
    const { coveredMs, idleJoules, joules } = job?.ended ?? unmeasured(0);
    if (job === undefined || coveredMs < MIN_BUSY_MS) return;
    const idleW = this.#idleW(job.gpu) ?? 0;
    this.#powers.addBusy(job.gpu, idleW + ((joules - idleJoules) * 1_000) / coveredMs);
  }

  /** What a GPU or slice takes with and without a job. */
  powerModel(gpu: string): PowerModel {
    const facts = this.#facts.get(gpu);
    const limitW = facts?.limitW === undefined ? undefined : facts.limitW * facts.share;
    return { ...powerModelOf(this.#powers.of(gpu), limitW), idleW: this.#idleW(gpu) };
  }

  /** To be called with each round of samples: writes what is due. */
  tick(): void {
    if (this.#deps.clock.monotonic() - this.#writtenAt >= WRITE_MS) this.#write();
  }

  #take(use: GpuUse): void {
    const jobs = [...this.#jobs.values()].filter(
      ({ ended, gpu }) => ended === undefined && this.#parentOf(gpu) === use.gpu,
    );
    if (jobs.length === 0) {
      this.#idle.add(use);
      this.#powers.addIdle(use);
      return;
    }
    const shares = jobs.reduce((sum, { gpu }) => sum + this.#shareOf(gpu), 0);
    const idleW = this.#idleW(use.gpu);
    for (const job of jobs) {
      const part = this.#shareOf(job.gpu) / shares;
      job.joules += use.joules * part;
      job.idleJoules += ((idleW ?? 0) * use.ms * part) / 1_000;
      job.coveredMs += use.ms;
      job.isExact &&= idleW !== undefined && this.#facts.get(use.gpu)?.isPartTime !== true;
    }
  }

  #energyOf(job: Metered, durationMs?: number): JobEnergy {
    const ms = durationMs ?? this.#deps.clock.monotonic() - job.startedAt;
    return jobEnergyOf(job, ms, job.isExact);
  }

  /** The idle watts of a GPU, or a slice's share of them. More than half of the limit is somebody's work. */
  #idleW(gpu: string): number | undefined {
    const idleW = this.#powers.idleW(this.#parentOf(gpu));
    const { limitW = Number.POSITIVE_INFINITY, share = 1 } = this.#facts.get(gpu) ?? {};
    return idleW === undefined || idleW > limitW / 2 ? undefined : idleW * share;
  }

  #parentOf(gpu: string): string {
    return this.#facts.get(gpu)?.parent ?? gpu;
  }

  #shareOf(gpu: string): number {
    return this.#facts.get(gpu)?.share ?? 1;
  }

  #write(): void {
    const { clock, log, store } = this.#deps;
    this.#writtenAt = clock.monotonic();
    const [idle, powers] = [this.#idle.take(), this.#powers.take()];
    const running = [...this.#jobs].filter(([, { ended }]) => ended === undefined);
    const jobs = new Map(running.map(([uuid, job]) => [uuid, this.#energyOf(job)]));
    if (jobs.size + idle.uses.length + powers.powers.length === 0) return;
    try {
      store.save({ at: clock.now(), jobs, idle: idle.uses, power: powers.powers });
      idle.written();
      powers.written();
      this.#problem.forget('');
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      if (this.#problem.isNew(code))
        log.warn({ event: 'energy-not-written', code }, `energy of jobs not written: ${message}`);
    }
  }
}
