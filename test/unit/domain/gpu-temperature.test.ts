import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  coolAgainC,
  isTooHot,
  NOT_THROTTLING,
  type Throttling,
  throttlingAfter,
} from '../../../src/domain/gpu-temperature.ts';

const at = (temperatureC: number | undefined) => ({ temperatureC, asleep: false });
const limits = fc.integer({ min: 40, max: 110 });
const temperatures = fc.option(fc.integer({ min: 0, max: 150 }), { nil: undefined });

describe('a GPU with a limit of 80 °C', () => {
  test.each([
    [79.9, false, false],
    [80, false, true],
    [120, false, true],
    [80, true, true],
    [79, true, true],
    [75.1, true, true],
    [75, true, false],
    [20, true, false],
    [undefined, true, true],
    [undefined, false, false],
  ])('at %s °C, too hot before: %s, is too hot: %s', (temperatureC, before, after) => {
    expect(isTooHot(80, at(temperatureC), before)).toBe(after);
  });

  test('has cooled where it is powered down', () => {
    expect(isTooHot(80, { temperatureC: undefined, asleep: true }, true)).toBe(false);
  });
});

test('a GPU without a limit is never too hot', () => {
  const never = fc.property(temperatures, (temperatureC) => {
    expect(isTooHot(Number.POSITIVE_INFINITY, at(temperatureC), false)).toBe(false);
  });
  fc.assert(never);
});

test('a temperature between both thresholds changes nothing, whatever was before', () => {
  const stays = fc.property(limits, fc.integer({ min: 1, max: 4 }), fc.boolean(), (limit, below, before) => {
    expect(isTooHot(limit, at(limit - below), before)).toBe(before);
  });
  fc.assert(stays);
});

test('a hotter GPU is never less too hot', () => {
  const monotonic = fc.property(limits, fc.integer(), fc.nat(), fc.boolean(), (limit, low, more, before) => {
    const [cool, hot] = [isTooHot(limit, at(low), before), isTooHot(limit, at(low + more), before)];
    expect(hot || !cool).toBe(true);
    expect(coolAgainC(limit)).toBe(limit - 5);
  });
  fc.assert(monotonic);
});

/** What is known after samples a second apart; `#` is one that is slowed down by heat. */
function after(samples: string, before = NOT_THROTTLING): Throttling {
  return samples.split('').reduce((state, sample) => throttlingAfter(state, sample === '#', 1_000), before);
}

describe('a GPU that heat slows down', () => {
  test.each([
    ['', false],
    ['#'.repeat(59), false],
    ['#'.repeat(60), true],
    ['#.'.repeat(300), false],
    ['##.'.repeat(180), true],
    [`${'#'.repeat(60)}${'.'.repeat(59)}`, true],
    [`${'#'.repeat(60)}${'.'.repeat(60)}`, false],
    [`${'#'.repeat(600)}${'.'.repeat(60)}`, false],
    [`${'#'.repeat(60)}${'.'.repeat(59)}${'#'.repeat(59)}${'.'.repeat(59)}`, true],
  ])('%s: %s', (samples, isLasting) => expect(after(samples).isLasting).toBe(isLasting));

  test('needs more than one sample, however long ago the last one was', () => {
    expect(throttlingAfter(NOT_THROTTLING, true, 3_600_000).isLasting).toBe(false);
    expect(throttlingAfter(NOT_THROTTLING, true, -5)).toEqual(NOT_THROTTLING);
  });
});
