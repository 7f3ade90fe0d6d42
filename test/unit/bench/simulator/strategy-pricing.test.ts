import { expect, test } from 'vitest';
import { HOST, outcomeOf } from '../../../../bench/simulator/contest.ts';
import type { Market, SimulatedRun } from '../../../../bench/simulator/market.ts';
import { drawnShape } from '../../../../bench/simulator/shapes.ts';

const HOUR_MS = 3_600_000;

/** Runs of one long and one short function, some of them before midnight, when electricity becomes dear. */
function aMarket(): Market {
  const run = (index: number, hour: number, minutes: number): SimulatedRun => ({
    uuid: `run-${index}`,
    at: hour * HOUR_MS,
    until: (hour + 1) * HOUR_MS,
    // Half as much again as the power costs in the cheap hours: what the strategy of the floor asks then.
    bid: 0.0015,
    function: minutes > 60 ? 'long' : 'short',
    jobs: [{ minutes, outcome: 'succeeded' }],
  });
  const days = Array.from({ length: 10 }, (_, day) => day * 24);
  const runs = days.flatMap((hour) => [
    // Most jobs are short, so the ask itself is made for short ones.
    ...Array.from({ length: 13 }, (_, index) => run(hour + index, hour + index, 20)),
    run(hour + 13, hour + 13, 180),
    run(hour + 22, hour + 22, 180),
  ]);
  return {
    shape: { ...drawnShape(1), dollarsPerKWh: (hour) => (hour < 23 ? 0.1 : 1) },
    runs,
    rivals: [],
    endsAt: 240 * HOUR_MS,
  };
}

test('a job that is known to be long is not taken into dear hours below its floor', () => {
  const { jobs } = outcomeOf(aMarket(), HOST, 'floor', 1);
  const late = jobs.filter(({ from }) => (from / HOUR_MS) % 24 === 22);
  const early = jobs.filter(({ from }) => (from / HOUR_MS) % 24 < 22);
  expect(early.length).toBeGreaterThan(100);
  // Before the agent has run five of them it cannot know.
  expect(late.length).toBeLessThan(6);
});
