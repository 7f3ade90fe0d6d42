import { expect, test } from 'vitest';
import { PRICE_TERMS_VIEW } from '../../../src/control-api/price-terms-view.ts';
import { SimulatedGpus } from '../../../src/embedded/gpu/simulated-gpus.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type Electricity, NO_PRICE } from '../../../src/pricing/electricity.ts';
import { flatTariff } from '../../../src/pricing/tariff.ts';
import { type AgentChoices, cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { runLine } from '../../support/cli/run.ts';
import { serveApi } from '../../support/control/serve-api.ts';

const GPU = {
  uuid: 'GPU-1',
  model: 'NVIDIA GeForce RTX 3090',
  busId: '00000000:01:00.0',
  memoryMiB: 24_576,
  idleW: 25,
  limitW: 360,
  maxClockMHz: 1_900,
};

function choices(electricity: Electricity): AgentChoices {
  return {
    simulated: new SimulatedGpus({
      gpus: [GPU],
      loadOf: () => ({ utilizationPercent: 0, memoryMiB: 0 }),
      clock: systemClock,
      random: () => 0.5,
    }),
    offers: [{ ...cpuOffer(0), key: 'gpu:test', slots: [{ id: 'GPU-1', gpu: 'GPU-1' }] }, cpuOffer(1)],
    electricity,
  };
}

test('every term of the floor is shown with its source, and they make the floor', async () => {
  await using env = await TestEnv.open();
  const electricity = {
    tariff: () => flatTariff(0.5),
    wall: { perGpuWatt: 1.25, hostW: 10 },
    wearPerHour: 0.06,
    brokerFee: 0.05,
    currency: { code: 'EUR', rate: 1.25 },
  };
  await using agent = await env.start(choices(electricity));
  await env.untilEvent('offer-registered');
  await using api = await serveApi(env, agent);
  const line = ['price', 'explain', '--offer', 'gpu:test'];
  const vars = { SHAREDCLOUD_STATE_DIR: api.directory };
  const shown = await runLine([...line, '--json'], vars);
  const terms = PRICE_TERMS_VIEW.parse(JSON.parse(shown.stdout));
  expect(terms).toMatchObject({
    price: { dollarsPerKWh: 0.5, known: 1, source: 'configured' },
    isStale: false,
    currency: 'EUR',
    currencyRate: 1.25,
    perGpuWatt: 1.25,
    hostW: 10,
    isCalibrated: true,
    offers: [
      { offer: 'gpu:test', ask: 0.1, gpus: [{ gpu: 'GPU-1', busyW: 360, busyFrom: 'power-limit', jobs: 0 }] },
    ],
  });
  const [offer] = terms.offers;
  const [gpu] = offer?.gpus ?? [];
  const watts = (360 - (gpu?.idleW ?? 0)) * 1.25 + 10;
  const cost = (watts / 1_000) * (0.5 / 60) + 0.06 / 60;
  expect(gpu?.marginalW).toBeCloseTo(watts, 6);
  expect(gpu?.dollarsPerKWh).toBe(0.5);
  expect(offer?.floor).toBeCloseTo(cost / (0.95 * 0.9), 8);
  expect(gpu?.leftPerHour).toBeCloseTo(60 * (0.1 * 0.95 * 0.9 - cost), 8);
  const text = await runLine(line, vars);
  expect(text.exit).toBe(0);
  // As the owner has set it, beside what it is in dollars.
  expect(text.stdout).toContain('EUR');
  expect(text.stdout).toContain('0.40');
  expect(text.stdout.split('\n').filter((one) => one.length > 80)).toEqual([]);
  expect((await runLine(['price', 'explain', '--offer', 'gpu:other'], vars)).exit).not.toBe(0);
});

test('without a price there is no floor', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.start(choices(NO_PRICE));
  await env.untilEvent('offer-registered');
  await using api = await serveApi(env, agent);
  const shown = await runLine(['price', 'explain', '--json'], { SHAREDCLOUD_STATE_DIR: api.directory });
  expect(PRICE_TERMS_VIEW.parse(JSON.parse(shown.stdout))).toMatchObject({
    price: null,
    priceNow: null,
    isCalibrated: false,
    offers: [
      { offer: 'gpu:test', floor: null, gpus: [{ floor: null, leftPerHour: null }] },
      { floor: null, gpus: [] },
    ],
  });
});

test('stale prices are said in the health of the agent', async () => {
  await using env = await TestEnv.open();
  let isStale = false;
  const electricity = {
    ...NO_PRICE,
    get isStale() {
      return isStale;
    },
  };
  await using agent = await env.start(choices(electricity));
  await env.untilEvent('offer-registered');
  expect(agent.agent.degraded()).toBeUndefined();
  isStale = true;
  expect(agent.agent.degraded()).toMatchObject({ hint: expect.any(String) as unknown });
});
