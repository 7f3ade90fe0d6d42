import { describe, expect, test } from 'vitest';
import {
  fanPercent,
  type GpuFigures,
  NO_LOAD,
  nextFigures,
  steadyFigures,
  together,
} from '../../../../src/embedded/gpu/figures.ts';

const SPEC = { memoryMiB: 24_000, idleW: 20, limitW: 450, maxClockMHz: 2_800 };
const FULL = { utilizationPercent: 100, memoryMiB: 8_000 };

/** The figures after so many seconds of a load. */
function after(seconds: number, from: GpuFigures, load = FULL, stepMs = 1_000): GpuFigures {
  let figures = from;
  for (let ms = 0; ms < seconds * 1_000; ms += stepMs)
    figures = nextFigures(SPEC, figures, { load, ms: stepMs, noise: 0 });
  return figures;
}

describe('the figures of a simulated GPU', () => {
  const idle = steadyFigures(SPEC, NO_LOAD);
  const busy = steadyFigures(SPEC, FULL);

  test('draw little without work, and nearly the limit with it', () => {
    expect(idle).toMatchObject({ utilizationPercent: 0, powerW: 20 });
    expect(busy.utilizationPercent).toBe(100);
    expect(busy.powerW).toBeGreaterThan(400);
    expect(busy.powerW).toBeLessThanOrEqual(450);
  });

  test('follow a load: power within seconds, heat within minutes', () => {
    const soon = after(5, idle);
    expect(soon.powerW).toBeGreaterThan(0.9 * busy.powerW);
    expect(soon.temperatureC).toBeLessThan((idle.temperatureC + busy.temperatureC) / 2);
    expect(after(300, idle).temperatureC).toBeCloseTo(busy.temperatureC, 0);
  });

  test('cool down slowly afterwards', () => {
    const soon = after(10, busy, NO_LOAD);
    expect(soon.powerW).toBeLessThan(30);
    expect(soon.temperatureC).toBeGreaterThan(idle.temperatureC + 15);
    expect(after(600, busy, NO_LOAD).temperatureC).toBeCloseTo(idle.temperatureC, 0);
  });

  test('know the energy of every moment, however seldom they are taken', () => {
    const pulses = (stepMs: number): number =>
      after(30, after(30, idle, FULL, stepMs), NO_LOAD, stepMs).energyJ;
    const exact = pulses(5);
    expect(exact).toBeGreaterThan(30 * 400);
    expect(exact).toBeLessThan(33 * 450);
    expect(Math.abs(pulses(1_000) / exact - 1)).toBeLessThan(0.02);
    expect(after(60, idle, NO_LOAD).energyJ).toBeCloseTo(60 * 20);
  });

  test('do not depend much on how often they are taken', () => {
    const [often, seldom] = [after(60, idle, FULL, 500), after(60, idle, FULL, 2_000)];
    expect(often.temperatureC).toBeCloseTo(seldom.temperatureC, 0);
  });

  test.each([-1, 1])('never leave what a GPU can have, with a noise of %i', (noise) => {
    const load = { utilizationPercent: 180, memoryMiB: 0 };
    const { powerW, utilizationPercent } = nextFigures(SPEC, busy, { load, ms: 60_000, noise });
    expect(utilizationPercent).toBeLessThanOrEqual(100);
    expect(powerW).toBeLessThanOrEqual(SPEC.limitW);
  });

  test('of several jobs add up', () => {
    expect(together([FULL, FULL])).toEqual({ utilizationPercent: 200, memoryMiB: 16_000 });
    expect(together([])).toEqual(NO_LOAD);
  });

  test('let the fan stand still while it is cool', () => {
    expect(fanPercent(40)).toBe(0);
    expect(fanPercent(60)).toBeGreaterThan(30);
    expect(fanPercent(200)).toBe(100);
  });
});
