import { expect, test } from 'vitest';
import { Floors } from '../../../../src/agent/pricing/floors.ts';
import { NO_PRICE } from '../../../../src/pricing/electricity.ts';
import { flatTariff, PublishedPrices, type Tariff } from '../../../../src/pricing/tariff.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';

const MINUTE = 60_000;
const OFFER = {
  key: 'gpu:T4',
  slots: [
    { id: 'a', gpu: 'GPU-1' },
    { id: 'b', gpu: 'GPU-2' },
  ],
};

function floorsAt(tariff: Tariff | undefined, more: Partial<typeof NO_PRICE> = {}, paid = 1) {
  const clock = new ManualClock();
  let current = tariff;
  const watts = new Map([
    ['GPU-1', 210],
    ['GPU-2', 360],
  ]);
  const floors = new Floors({
    electricity: { ...NO_PRICE, wall: { perGpuWatt: 1, hostW: 0 }, ...more, tariff: () => current },
    powerModel: (gpu) => ({ idleW: 10, busyW: watts.get(gpu), isMeasured: true, jobs: 3 }),
    paidTime: () => ({ paidMs: paid * 1e12, busyMs: 1e12 }),
    clock,
  });
  return { floors, clock, watts, reload: (next: Tariff | undefined) => (current = next) };
}

test('an offer takes the floor of its dearest GPU', () => {
  const { floors } = floorsAt(flatTariff(0.6));
  // 350 W for a minute are 21 kJ.
  expect(floors.highest(OFFER, MINUTE)).toMatchObject({
    gpu: 'GPU-2',
    floor: { power: (21_000 / 3.6e6) * 0.6 },
  });
  expect(floors.cost(OFFER)?.floor).toBeCloseTo(0.0035, 6);
  expect(floors.each(OFFER, MINUTE)).toHaveLength(2);
});

test('wear, the broker’s fee and unpaid minutes are in it', () => {
  const { floors } = floorsAt(flatTariff(0.6), { wearPerHour: 0.06, brokerFee: 0.1 }, 0.5);
  expect(floors.cost(OFFER)?.floor).toBeCloseTo((0.0035 + 0.001) / (0.9 * 0.5), 5);
  expect(floors.cost(OFFER)?.costPerMinute).toBeCloseTo(0.0045, 6);
});

test('without a price or a known power there is none', () => {
  const { floors, reload, watts } = floorsAt(undefined);
  expect(floors.cost(OFFER)).toBeUndefined();
  reload(flatTariff(0.3));
  expect(floors.cost(OFFER)).toBeDefined();
  watts.clear();
  reload(flatTariff(0.3));
  expect(floors.cost(OFFER)).toBeUndefined();
  expect(floors.cost({ key: 'cpu', slots: [{ id: 'cpu', gpu: null }] })).toBeUndefined();
});

test('a job costs by the prices of the time that it takes, also just before they change', () => {
  const clock = new ManualClock();
  const now = clock.now();
  const prices = new PublishedPrices([
    { from: 0, until: now + 2 * MINUTE, dollarsPerKWh: 0.6 },
    { from: now + 2 * MINUTE, until: now + 1e9, dollarsPerKWh: 0.1 },
  ]);
  const { floors } = floorsAt(prices);
  const at = (minutes: number) => floors.highest(OFFER, minutes * MINUTE)?.price.dollarsPerKWh;
  expect(at(1)).toBeCloseTo(0.6);
  expect(at(4)).toBeCloseTo(0.35);
  expect(at(20)).toBeCloseTo(0.15);
});

test('power for which one is paid costs nothing, and no less', () => {
  const { floors } = floorsAt(flatTariff(-0.2), { wearPerHour: 0.06 });
  expect(floors.highest(OFFER, MINUTE)?.floor).toMatchObject({ power: 0, wear: 0.001 });
});

test('another tariff counts at once', () => {
  const { floors, reload } = floorsAt(flatTariff(0.3));
  const before = floors.cost(OFFER)?.floor ?? 0;
  reload(flatTariff(0.6));
  expect(floors.cost(OFFER)?.floor).toBeCloseTo(2 * before, 9);
});
