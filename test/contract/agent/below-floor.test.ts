import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import { JobLoads } from '../../../src/cli/dry-run/live/job-loads.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { SimulatedGpus } from '../../../src/embedded/gpu/simulated-gpus.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import { flatTariff, PublishedPrices, type Tariff } from '../../../src/pricing/tariff.ts';
import { type AgentChoices, cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { CPU_IMAGE } from '../../support/domain.ts';

const GPU = {
  uuid: 'GPU-1',
  model: 'NVIDIA GeForce RTX 3090',
  busId: '00000000:01:00.0',
  memoryMiB: 24_576,
  idleW: 25,
  limitW: 350,
  maxClockMHz: 1_900,
};
/** Runs into the time limit, which is paid. */
const ENDLESS = 'function handler() { return new Promise(() => setInterval(() => {}, 1000)); }';
/** How long jobs take, and how long electricity is dear, in milliseconds. */
const JOB_MS = 60_000;
const DEAR_MS = 240_000;
/** Time goes in steps of so much. */
const STEP_MS = 250;
const CHEAP = 0.1;
const DEAR = 5;
/** At the wall for a watt of the GPU. */
const LOSSES = 1.1;

/** A GPU, an offer that asks as the test says whatever its floor, and a price of electricity that the test may change. */
class Host {
  tariff: Tariff = flatTariff(CHEAP);
  /** By the simulation itself, between the start and the end of each job. */
  readonly trueJoules = new Map<string, number>();
  readonly #env: TestEnv;
  readonly #ask: number;
  readonly #gpus: SimulatedGpus;
  readonly #loads = new JobLoads(() => ({ utilizationPercent: 95, memoryMiB: 4_000 }));
  readonly #function: string;

  constructor(env: TestEnv, ask: number) {
    this.#env = env;
    this.#ask = ask;
    const { store } = env.broker;
    const image = store.addImage({ registryPath: CPU_IMAGE, requiresGpu: false, runtime: 'node24' });
    this.#function = store.addFunction({ name: 'sample', code: ENDLESS, image });
    const random = new SeededRandom(1);
    this.#gpus = new SimulatedGpus({
      gpus: [GPU],
      loadOf: (uuid) => this.#loads.of(uuid),
      clock: systemClock,
      random: () => random.next(),
    });
  }

  get choices(): AgentChoices {
    const { tariff } = { tariff: () => this.tariff };
    return {
      simulated: this.#gpus,
      clock: { ...systemClock, bootTime: () => ({ boot: 'boot', upMs: performance.now() }) },
      observe: (event) => this.#observe(event),
      offers: [
        {
          ...cpuOffer(0),
          key: 'gpu:test',
          askPrice: this.#ask,
          slots: [{ id: 'GPU-1', gpu: 'GPU-1' }],
        },
      ],
      // So that no floor may raise the ask.
      askSettings: () => ({ strategy: 'fixed', min: undefined, max: this.#ask, floorMargin: 1 }),
      electricity: { tariff, wall: { perGpuWatt: LOSSES, hostW: 0 }, wearPerHour: 0, brokerFee: 0 },
      settings: { jobTimeoutMs: JOB_MS },
    };
  }

  addRun(jobs: number): string {
    const parameters = `(${'(7,),'.repeat(jobs)})`;
    return this.#env.broker.store.addRun({ function: this.#function, parameters, bidPrice: 1 });
  }

  #observe(event: AgentEvent): void {
    const energy = this.#gpus.trueEnergy(GPU.uuid);
    if (event.kind === 'job-started') {
      this.trueJoules.set(event.job.uuid, -energy);
    } else if (event.kind === 'job-ended') {
      this.trueJoules.set(event.job.uuid, (this.trueJoules.get(event.job.uuid) ?? 0) + energy);
    }
    this.#loads.observe(event);
  }
}

const skipsBelowFloor = (env: TestEnv): number =>
  env.events.filter((event) => event.kind === 'run-skipped' && event.reason === 'below-floor').length;

const begun = (env: TestEnv, run: string): readonly JobRow[] =>
  env.jobsOf(run).filter(({ assignedAt }) => assignedAt !== null);

const ended = (env: TestEnv, run: string): number =>
  env.jobsOf(run).filter(({ finishedAt }) => finishedAt !== null).length;

/** US dollars for the power above idle that a job took by the simulation, at the prices of the time that it ran. */
function powerCost(
  job: JobRow,
  joules: number,
  dear: { readonly from: number; readonly until: number },
): number {
  const [from, until] = [job.assignedAt ?? 0, job.finishedAt ?? 0];
  const dearMs = Math.max(0, Math.min(until, dear.until) - Math.max(from, dear.from));
  const price = CHEAP + (DEAR - CHEAP) * (dearMs / (until - from));
  const aboveIdle = joules - (GPU.idleW * (until - from)) / 1_000;
  return (Math.max(0, aboveIdle) * LOSSES * price) / 3_600_000;
}

describe('no job is taken that costs more than it brings', () => {
  test('by the broker’s books and the true energy, over a time in which electricity is dear', async () => {
    await using env = await TestEnv.open();
    const host = new Host(env, 0.01);
    await using _agent = await env.start(host.choices);
    await env.untilEvent('offer-registered');
    const first = host.addRun(1);
    await env.time.passUntil(() => ended(env, first) === 1, STEP_MS);
    const dear = { from: systemClock.now() + 300_000, until: systemClock.now() + 300_000 + DEAR_MS };
    host.tariff = new PublishedPrices([
      { from: 0, until: dear.from, dollarsPerKWh: CHEAP },
      { ...dear, dollarsPerKWh: DEAR },
      { from: dear.until, until: dear.until * 2, dollarsPerKWh: CHEAP },
    ]);
    const run = host.addRun(9);
    await env.time.passUntil(() => systemClock.now() > dear.from + DEAR_MS / 2, STEP_MS);
    const before = begun(env, run).length;
    expect(before).toBeGreaterThan(1);
    expect(before).toBeLessThan(9);
    expect(skipsBelowFloor(env)).toBeGreaterThan(0);
    await env.time.passUntil(() => ended(env, run) === 9, STEP_MS);
    for (const job of env.jobsOf(run)) {
      const cost = powerCost(job, host.trueJoules.get(job.uuid) ?? Number.NaN, dear);
      expect(cost).toBeGreaterThan(0);
      expect(job.cost).toBeGreaterThanOrEqual(cost);
    }
    const inside = env
      .jobsOf(run)
      .filter(({ assignedAt }) => (assignedAt ?? 0) > dear.from && (assignedAt ?? 0) < dear.until - JOB_MS);
    expect(inside).toEqual([]);
  });

  test('an ask just below it takes nothing, and one just above it does', async () => {
    // The power limit counts before the first job, and of an hour of work a tenth is not paid.
    const floor = ((((GPU.limitW - GPU.idleW) * LOSSES) / 1_000) * (CHEAP / 60)) / 0.9;
    for (const [part, taken] of [
      [0.97, false],
      [1.15, true],
    ] as const) {
      await using env = await TestEnv.open();
      const host = new Host(env, Number((floor * part).toFixed(6)));
      const run = host.addRun(1);
      await using _agent = await env.start(host.choices);
      if (taken) await env.time.passUntil(() => ended(env, run) === 1, STEP_MS);
      else await env.time.passUntil(() => skipsBelowFloor(env) > 0, STEP_MS);
      await env.time.pass(5_000);
      expect(begun(env, run)).toHaveLength(taken ? 1 : 0);
    }
  });

  test('another price counts at once', async () => {
    await using env = await TestEnv.open();
    const host = new Host(env, 0.01);
    host.tariff = flatTariff(DEAR);
    await using _agent = await env.start(host.choices);
    const run = host.addRun(1);
    await env.time.passUntil(() => skipsBelowFloor(env) > 0, STEP_MS);
    await env.time.pass(5_000);
    expect(begun(env, run)).toEqual([]);
    const changedAt = systemClock.now();
    host.tariff = flatTariff(CHEAP);
    await env.time.passUntil(() => begun(env, run).length === 1, STEP_MS);
    expect((env.jobOf(run).assignedAt ?? Number.POSITIVE_INFINITY) - changedAt).toBeLessThan(45_000);
  });
});
