import { EnergyMeter } from '../../../src/agent/energy/energy-meter.ts';
import { RollupRecorder } from '../../../src/agent/gpu-health/rollup-recorder.ts';
import type { Gpu } from '../../../src/domain/gpu.ts';
import { energyJ, type GpuRollup } from '../../../src/domain/gpu-rollup.ts';
import type { GpuSample } from '../../../src/domain/gpu-sample.ts';
import type { JobRecord } from '../../../src/domain/job.ts';
import type { JobEnergy, PricedEnergy } from '../../../src/domain/job-energy.ts';
import type { EnergyProgress, EnergyStore, JobMeter } from '../../../src/domain/ports/energy-store.ts';
import type { MeasuredPower } from '../../../src/domain/power-model.ts';
import { type Electricity, NO_PRICE } from '../../../src/pricing/electricity.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { logInto } from '../log/log-into.ts';
import { aSample } from './manual-sampler.ts';

/** Keeps in memory what a journal would keep. */
export class EnergyMemory implements EnergyStore {
  readonly saves: EnergyProgress[] = [];
  readonly ended = new Map<string, PricedEnergy>();
  error: Error | undefined;
  meter: JobMeter | undefined;
  readonly #open = new Map<string, JobEnergy>();
  readonly #power = new Map<string, MeasuredPower>();

  meterBy(meter: JobMeter): void {
    this.meter = meter;
  }

  save(progress: EnergyProgress): void {
    if (this.error !== undefined) throw this.error;
    this.saves.push(progress);
    for (const [job, energy] of progress.jobs) if (!this.ended.has(job)) this.#open.set(job, energy);
    for (const power of progress.power) this.#power.set(power.gpu, power);
  }

  /** As the journal does in the transaction in which a job ends. */
  end(job: JobRecord, durationMs?: number): PricedEnergy | undefined {
    const energy = this.meter?.ended(job, durationMs);
    if (energy !== undefined) this.ended.set(job.uuid, energy);
    this.#open.delete(job.uuid);
    return energy;
  }

  open(): ReadonlyMap<string, JobEnergy> {
    return this.#open;
  }

  power(): ReadonlyMap<string, MeasuredPower> {
    return this.#power;
  }

  of(job: string): PricedEnergy | undefined {
    return this.ended.get(job);
  }

  /** The joules of GPUs without a job that were written. */
  get idleJoules(): number {
    return this.saves.flatMap(({ idle }) => idle).reduce((sum, { joules }) => sum + joules, 0);
  }
}

/** A meter beside the rollups, on a clock of the test's; `restart` continues with another agent. */
export class Metering {
  readonly clock: ManualClock & { bootTime(): { boot: string; upMs: number } };
  readonly store = new EnergyMemory();
  readonly log: string[] = [];
  /** The joules of each GPU by the rollups that were written. */
  readonly measured = new Map<string, number>();
  readonly #electricity: Electricity;
  readonly #gpus: readonly Gpu[];
  #over = new AbortController();
  #recorder: RollupRecorder;
  #meter: EnergyMeter;

  constructor(gpus: readonly Gpu[] = [], electricity: Electricity = NO_PRICE) {
    const clock = new ManualClock(Date.UTC(2026, 10, 27, 12));
    this.clock = Object.assign(clock, { bootTime: () => ({ boot: 'boot', upMs: clock.monotonic() }) });
    this.#gpus = gpus;
    this.#electricity = electricity;
    [this.#recorder, this.#meter] = this.#start();
  }

  get meter(): EnergyMeter {
    return this.#meter;
  }

  /** A sample of each of these GPUs now; undefined: its power cannot be read. */
  sample(watts: Readonly<Record<string, number | undefined | 'asleep'>>): void {
    const samples = Object.entries(watts).map(([uuid, powerW]): GpuSample => {
      const at = { uuid, at: this.clock.now() };
      return powerW === 'asleep' ? { ...aSample(at), asleep: true } : aSample({ ...at, powerW });
    });
    this.#recorder.record(samples);
    this.#meter.tick();
  }

  /** A sample a second of GPU-1 for so many seconds. */
  pass(seconds: number, watts: number): void {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1_000);
      this.sample({ 'GPU-1': watts });
    }
  }

  /** A job that starts now. */
  start(job: JobRecord): JobRecord {
    const now = this.clock.now();
    const since = this.clock.bootTime();
    const running: JobRecord = { ...job, state: { name: 'running', container: 'c', startedAt: now, since } };
    this.#meter.started(running);
    return running;
  }

  end(job: JobRecord, durationMs?: number): PricedEnergy | undefined {
    const energy = this.store.end(job, durationMs);
    this.#meter.over(job);
    return energy;
  }

  /** The agent ends, and writes what is left. */
  stop(): void {
    this.#over.abort();
  }

  /** Another agent, which knows what the store has. */
  restart(): void {
    this.#over = new AbortController();
    [this.#recorder, this.#meter] = this.#start();
  }

  #start(): [RollupRecorder, EnergyMeter] {
    const { clock, measured, store } = this;
    const parts = { clock, log: logInto(this.log), signal: this.#over.signal };
    const rollups = {
      add: (minutes: readonly GpuRollup[]): void => {
        for (const minute of minutes)
          measured.set(minute.gpu, (measured.get(minute.gpu) ?? 0) + (energyJ(minute) ?? 0));
      },
    };
    const recorder = new RollupRecorder({ ...parts, rollups });
    const meter = new EnergyMeter({ ...parts, store, recorder, electricity: this.#electricity });
    meter.learn(this.#gpus);
    return [recorder, meter];
  }
}
