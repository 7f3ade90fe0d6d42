import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floorOf, paidShareOf } from '../../../src/pricing/floor.ts';
import { dollars, microDollars } from '../../../src/pricing/money.ts';
import {
  calibrated,
  energyCost,
  energyCostOver,
  marginalWatts,
  UNCALIBRATED,
} from '../../../src/pricing/power-cost.ts';
import { flatTariff } from '../../../src/pricing/tariff.ts';

describe('the floor', () => {
  test('is what a 3090 at 350 W costs at $0.30 per kWh', () => {
    const terms = { dollarsPerKWh: 0.3, wearPerHour: 0, brokerFee: 0, paidShare: 1 };
    const alone = floorOf({ ...terms, marginalW: 350 });
    expect(alone.perMinute).toBeCloseTo(0.00175, 8);
    const whole = floorOf({ ...terms, marginalW: marginalWatts(350, 0, UNCALIBRATED), paidShare: 0.85 });
    expect(whole.perMinute).toBeCloseTo(0.00229, 5);
  });

  test('is reached when the owner, the broker and the unpaid minutes have their part', () => {
    const positive = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        positive,
        positive,
        positive,
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (price, wear, paid, fee) => {
          const floor = floorOf({
            marginalW: 200,
            dollarsPerKWh: price,
            wearPerHour: wear,
            brokerFee: fee,
            paidShare: paid,
          });
          // Of 1,000 busy minutes.
          const income = floor.perMinute * 1_000 * paid * (1 - fee);
          const cost = energyCost(200 * 60 * 1_000, price) + (wear / 60) * 1_000;
          expect(income).toBeCloseTo(cost, 8);
        },
      ),
    );
  });

  test.each([
    [0, 0, 0.9],
    [0, 60, 0.45],
    [6_000, 6_000, 6_054 / 6_060],
    [100, 50, 154 / 160],
  ])('takes %d paid of %d busy minutes for a share of %d', (paid, busy, share) => {
    expect(paidShareOf(paid, busy)).toBeCloseTo(share, 10);
  });
});

describe('power at the wall', () => {
  test('is learned from two readings', () => {
    expect(calibrated({ wallW: 80, gpuW: 20 }, { wallW: 452, gpuW: 320 })).toEqual({
      perGpuWatt: 1.24,
      hostW: 0,
    });
  });

  test.each([
    ['hardly differ', { wallW: 80, gpuW: 20 }, { wallW: 95, gpuW: 35 }],
    ['contradict each other', { wallW: 400, gpuW: 20 }, { wallW: 80, gpuW: 320 }],
    ['are of another host', { wallW: 80, gpuW: 20 }, { wallW: 1_200, gpuW: 320 }],
    ['are no numbers', { wallW: 80, gpuW: 20 }, { wallW: Number.NaN, gpuW: Number.NaN }],
  ])('is not learned from readings that %s', (_what, idle, busy) => {
    expect(calibrated(idle, busy)).toBeUndefined();
  });

  test('counts what is above idle', () => {
    expect(marginalWatts(320, 20, { perGpuWatt: 1.2, hostW: 30 })).toBe(390);
    expect(marginalWatts(10, 20, { perGpuWatt: 1.2, hostW: 0 })).toBe(0);
  });

  test('costs its price', () => {
    expect(energyCostOver(3_600_000, flatTariff(0.3), 0, 60_000)).toBeCloseTo(0.3, 12);
  });
});

describe('money', () => {
  test.each([
    [0.0000005, 1],
    [-0.0000005, -1],
    [0.00000049, 0],
    [1.2345678, 1_234_568],
    [-0, 0],
  ])('%d dollars are %d millionths', (amount, micro) => {
    expect(microDollars(amount)).toBe(micro);
  });

  test('comes back as it was, up to a millionth', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (amount) => {
        expect(microDollars(dollars(amount))).toBe(amount);
      }),
    );
  });
});
