import { expect, test } from 'vitest';
import { OpenRuns } from '../../../src/agent/market-history/open-runs.ts';
import { finish } from '../../../src/lib/slices.ts';

const COUNT = 1_000;
const OPEN = Array.from({ length: COUNT }, (_, id) => ({
  id,
  run: `run-${id}`,
  function: 'f',
  baseGpu: null,
  bid: 0.1,
  jobs: 1,
}));

function stepsOf(work: Iterator<unknown>): number {
  for (let steps = 0; ; steps += 1) if (work.next().done === true) return steps;
}

test('many open runs are read from disk in small steps', () => {
  expect(stepsOf(OpenRuns.from({ nextId: COUNT, open: OPEN }))).toBeGreaterThanOrEqual(COUNT);
});

test('many open runs are ended in small steps, each once', () => {
  const runs = finish(OpenRuns.from({ nextId: COUNT, open: OPEN }));
  expect(stepsOf(runs.endAll())).toBeGreaterThanOrEqual(COUNT);
  expect(finish(runs.endAll())).toEqual([]);
});
