import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import { JobLoads } from '../../../src/cli/dry-run/live/job-loads.ts';
import { SimulatedGpus } from '../../../src/embedded/gpu/simulated-gpus.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { flatTariff } from '../../../src/pricing/tariff.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { type AgentChoices, cpuOffer, TestEnv } from '../../support/agent/test-env.ts';

const GPU = {
  uuid: 'GPU-1',
  model: 'NVIDIA GeForce RTX 3090',
  busId: '00000000:01:00.0',
  memoryMiB: 24_576,
  idleW: 25,
  limitW: 350,
  maxClockMHz: 1_900,
};

/** An agent's choices for a simulated GPU whose jobs keep it busy. */
function simulated(utilization = () => 95) {
  const loads = new JobLoads(() => ({ utilizationPercent: utilization(), memoryMiB: 4_000 }));
  const random = new SeededRandom(1);
  const gpus = new SimulatedGpus({
    gpus: [GPU],
    loadOf: (uuid) => loads.of(uuid),
    clock: systemClock,
    random: () => random.next(),
  });
  const choices: AgentChoices = {
    simulated: gpus,
    // The time since the boot is virtual, too.
    clock: { ...systemClock, bootTime: () => ({ boot: 'boot', upMs: performance.now() }) },
    observe: (event) => loads.observe(event),
    offers: [{ ...cpuOffer(0), key: 'gpu:test', slots: [{ id: 'GPU-1', gpu: 'GPU-1' }] }],
    electricity: {
      tariff: () => flatTariff(0.36),
      wall: { perGpuWatt: 1.1, hostW: 0 },
      wearPerHour: 0,
      brokerFee: 0,
    },
    settings: { jobTimeoutMs: 3_600_000 },
  };
  return { gpus, choices };
}

test('a job has the energy of its GPU and the cost of its power, from its start to its end', async () => {
  await using env = await TestEnv.open();
  const { choices, gpus } = simulated();
  await using agent = await env.start(choices);
  await env.untilEvent('offer-registered');
  await env.time.pass(10_000);
  const gate = new Gate(env.directory);
  const run = env.addRun(GATED, gate.parameters(7));
  await env.untilEvent('job-started');
  const before = gpus.trueEnergy('GPU-1');
  await env.time.pass(60_000);
  gate.open();
  await env.untilEvent('job-ended');
  const trueJoules = gpus.trueEnergy('GPU-1') - before;
  await env.untilDone(run);
  const energy = agent.journal.energy.of(env.jobOf(run).uuid);
  const { coveredMs = 0, idleJoules = 0, joules = 0, ms = 1, powerMicroDollars = 0 } = energy ?? {};
  expect(Math.abs(joules / trueJoules - 1)).toBeLessThan(0.02);
  expect(energy).toMatchObject({ isEstimate: false, isCostEstimate: false });
  expect(coveredMs / ms).toBeGreaterThan(0.98);
  expect(Math.abs(idleJoules / ((GPU.idleW * ms) / 1_000) - 1)).toBeLessThan(0.05);
  // At the wall a tenth more, and 0.36 dollars for 3.6 million joules.
  expect(Math.abs(powerMicroDollars - (joules - idleJoules) * 1.1 * 0.1)).toBeLessThan(
    5 + 0.03 * powerMicroDollars,
  );
  const { idle, jobs } = await inSlices(agent.journal.energy.days.between('2000-01-01', '2999-01-01'));
  expect(jobs).toMatchObject([{ gpu: 'GPU-1', jobs: 1, joules, powerMicroDollars, unpricedJobs: 0 }]);
  expect(idle).toMatchObject([{ gpu: 'GPU-1', unpricedMs: 0 }]);
});

test('a job that outlives its agent has its energy but for the time in between', async () => {
  await using env = await TestEnv.open();
  const { choices } = simulated();
  const gate = new Gate(env.directory);
  const first = await env.start(choices);
  await env.untilEvent('offer-registered');
  await env.time.pass(10_000);
  const run = env.addRun(GATED, gate.parameters(7));
  await env.untilEvent('job-started');
  await env.time.pass(30_000);
  await first.stop();
  await env.time.pass(20_000);
  await using second = await env.start({ ...choices, runtime: () => first.runtime });
  await env.untilEvent('job-adopted');
  await env.time.pass(30_000);
  gate.open();
  await env.untilDone(run);
  const energy = second.journal.energy.of(env.jobOf(run).uuid);
  const { coveredMs = 0, joules = 0, ms = 1 } = energy ?? {};
  expect(energy?.isEstimate).toBe(true);
  expect(coveredMs).toBeGreaterThan(55_000);
  expect(ms - coveredMs).toBeGreaterThan(18_000);
  expect((joules * 1_000) / coveredMs).toBeGreaterThan(280);
});

test('no job costs more than it brings, by the books of the broker and the true energy of its GPU', async () => {
  await using env = await TestEnv.open();
  const random = new SeededRandom(7);
  const { choices, gpus } = simulated(() => random.oneOf([20, 60, 100]));
  const [dear, affordable] = [40, 14];
  let price = affordable;
  const tariffs = new Map([dear, affordable].map((each) => [each, flatTariff(each)]));
  /** When each job began, and the energy of its GPU at that time. */
  const begun = new Map<string, { readonly at: number; readonly joules: number }>();
  /** What the power of each job has cost, in US dollars. */
  const costs = new Map<string, number>();
  const now = () => ({ at: performance.now(), joules: gpus.trueEnergy('GPU-1') });
  const watch = (event: AgentEvent): void => {
    choices.observe?.(event);
    if (event.kind === 'job-started') begun.set(event.job.uuid, now());
    if (event.kind !== 'job-ended') return;
    const [from, to] = [begun.get(event.job.uuid), now()];
    if (from === undefined) return;
    const aboveIdle = to.joules - from.joules - (GPU.idleW * (to.at - from.at)) / 1_000;
    costs.set(event.job.uuid, (aboveIdle * 1.1 * price) / 3_600_000);
  };
  await using _agent = await env.start({
    ...choices,
    observe: watch,
    electricity: {
      tariff: () => tariffs.get(price),
      wall: { perGpuWatt: 1.1, hostW: 0 },
      wearPerHour: 0,
      brokerFee: 0,
    },
    settings: { jobTimeoutMs: 30_000 },
  });
  await env.untilEvent('offer-registered');
  await env.time.pass(10_000);
  const code = 'function handler([ms]) { return new Promise((done) => setTimeout(done, ms)) }';
  const add = (count: number, bidPrice: number): readonly string[] =>
    Array.from({ length: count }, () => env.addRun(code, '((1200,),)', { bidPrice }));

  const cheapDay = add(4, 0.12);
  for (const run of cheapDay) await env.untilDone(run);
  price = dear;
  await env.untilEvent('ask-changed');
  const tooLow = add(2, 0.12);
  const paidWell = add(2, 0.5);
  for (const run of paidWell) await env.untilDone(run);
  expect(tooLow.map((run) => env.jobOf(run).cost)).toEqual([null, null]);

  const taken = [...cheapDay, ...paidWell].map((run) => env.jobOf(run));
  expect(costs.size).toBe(taken.length);
  for (const { cost, uuid } of taken)
    expect(cost).toBeGreaterThan(costs.get(uuid) ?? Number.POSITIVE_INFINITY);
});
