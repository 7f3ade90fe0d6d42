import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JobLoads } from '../../../src/cli/dry-run/live/job-loads.ts';
import { SimulatedGpus } from '../../../src/embedded/gpu/simulated-gpus.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import { PublishedPrices } from '../../../src/pricing/tariff.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { type AgentChoices, cpuOffer, TestEnv } from '../../support/agent/test-env.ts';

const HOUR_MS = 3_600_000;
const CHECK_MS = 61_000;
const JOB_MS = 20_000;
/** Watts at the wall for one of the GPU. */
const PER_GPU_WATT = 1.1;
const WEAR_PER_HOUR = 0.02;
const FEE = 0.1;
/** US dollars per kWh, for so many hours each. */
const PRICES = [0.1, 0.6, 1.2] as const;
const PERIOD_MS = 4 * HOUR_MS;

const GPU = {
  uuid: 'GPU-1',
  model: 'NVIDIA GeForce RTX 3090',
  busId: '00000000:01:00.0',
  memoryMiB: 24_576,
  idleW: 25,
  limitW: 350,
  maxClockMHz: 1_900,
};

/** A host with one simulated GPU, whose true energy is known, and prices that rise twice. */
class Host {
  readonly gpus: SimulatedGpus;
  readonly #loads = new JobLoads(() => ({ utilizationPercent: 95, memoryMiB: 4_000 }));
  #aheadMs = 0;
  readonly #clock = {
    now: () => systemClock.now() + this.#aheadMs,
    monotonic: () => systemClock.monotonic() + this.#aheadMs,
    bootTime: () => ({ boot: 'b', upMs: systemClock.monotonic() + this.#aheadMs }),
  };

  constructor() {
    const random = new SeededRandom(1);
    this.gpus = new SimulatedGpus({
      gpus: [GPU],
      loadOf: (uuid) => this.#loads.of(uuid),
      clock: this.#clock,
      random: () => random.next(),
    });
  }

  forward(ms: number): void {
    this.#aheadMs += ms;
  }

  choices(): AgentChoices {
    const start = this.#clock.now() - HOUR_MS;
    const tariff = new PublishedPrices(
      PRICES.map((dollarsPerKWh, index) => ({
        from: start + index * PERIOD_MS,
        until: start + (index + 1) * PERIOD_MS,
        dollarsPerKWh,
      })),
    );
    return {
      simulated: this.gpus,
      clock: this.#clock,
      observe: (event) => this.#loads.observe(event),
      offers: [{ ...cpuOffer(0), key: 'gpu:test', askPrice: 0.002, slots: [{ id: 'GPU-1', gpu: 'GPU-1' }] }],
      electricity: {
        tariff: () => tariff,
        wall: { perGpuWatt: PER_GPU_WATT, hostW: 0 },
        wearPerHour: WEAR_PER_HOUR,
        brokerFee: FEE,
      },
      settings: { jobTimeoutMs: 120_000 },
    };
  }
}

/** Runs the one job of a run for a while; answers what the broker has booked for it and what it has truly cost. */
async function sell(env: TestEnv, host: Host, gate: Gate, run: string, dollarsPerKWh: number) {
  await env.until(() => expect(env.jobOf(run).instance).not.toBeNull());
  await env.until(() =>
    expect(env.events.some((one) => one.kind === 'job-started' && one.job.run === run)).toBe(true),
  );
  const [before, from] = [host.gpus.trueEnergy('GPU-1'), performance.now()];
  await env.time.pass(JOB_MS);
  gate.open();
  await env.untilDone(run);
  const ms = performance.now() - from;
  const joules = host.gpus.trueEnergy('GPU-1') - before - (GPU.idleW * ms) / 1_000;
  const power = ((joules * PER_GPU_WATT) / 3.6e6) * dollarsPerKWh;
  const wear = (WEAR_PER_HOUR * ms) / HOUR_MS;
  return { booked: (env.jobOf(run).cost ?? 0) * (1 - FEE), cost: power + wear };
}

test('no job costs more than the broker books for it, whatever power costs, and none is taken while asks are frozen below', async () => {
  await using env = await TestEnv.open();
  const host = new Host();
  await using agent = await env.start(host.choices());
  await env.untilEvent('offer-registered');
  await env.time.pass(CHECK_MS);
  const priceAtBroker = () => env.broker.store.instances.all()[0]?.askPrice ?? 0;
  const offerOf = () => agent.agent.pricer.views[0];
  const addJob = (): { readonly run: string; readonly gate: Gate } => {
    const gate = new Gate(mkdtempSync(join(env.directory, 'gate-')));
    return { run: env.addRun(GATED, gate.parameters(7)), gate };
  };

  const cheap = addJob();
  const first = await sell(env, host, cheap.gate, cheap.run, PRICES[0]);
  expect(first.cost).toBeGreaterThan(0);
  expect(first.booked).toBeGreaterThanOrEqual(first.cost);

  host.forward(PERIOD_MS);
  await env.time.pass(CHECK_MS);
  await env.until(() => expect(priceAtBroker()).toBeGreaterThan(0.004));
  const dear = addJob();
  const second = await sell(env, host, dear.gate, dear.run, PRICES[1]);
  expect(second.cost).toBeGreaterThan(first.cost * 2);
  expect(second.booked).toBeGreaterThanOrEqual(second.cost);

  const owner = { by: 'alice', from: 'a test' };
  agent.agent.pricer.freeze(undefined, owner);
  host.forward(PERIOD_MS);
  await env.time.pass(CHECK_MS);
  const frozen = addJob();
  await env.until(() =>
    expect(env.events.some((one) => one.kind === 'run-skipped' && one.reason === 'below-floor')).toBe(true),
  );
  expect(env.jobOf(frozen.run).instance).toBeNull();
  expect(offerOf()).toMatchObject({ hold: 'frozen' });
  agent.agent.pricer.unfreeze(owner);
  const third = await sell(env, host, frozen.gate, frozen.run, PRICES[2]);
  expect(third.booked).toBeGreaterThanOrEqual(third.cost);
});
