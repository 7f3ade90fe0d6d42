import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  foreignUse,
  heavyProcesses,
  type ProcessOwner,
  type ProcessRecords,
  recordRound,
  recordUse,
  SETTLED_MS,
  type SeenProcess,
} from '../../../src/domain/foreign-use.ts';

const [GPU, OTHER] = ['GPU-1', 'GPU-2'];
const ALL = new Set([GPU, OTHER]);

function process(more: Partial<SeenProcess> = {}): SeenProcess {
  return { pid: 7, gpu: GPU, type: 'G', name: 'vkquake', usedMiB: 20, smPercent: undefined, ...more };
}

/** The records after these rounds, a second apart, the last one at 0. */
function after(
  rounds: readonly (readonly SeenProcess[])[],
  start: ProcessRecords = new Map(),
): ProcessRecords {
  return rounds.reduce(
    (records, processes, at) =>
      recordRound(records, { processes, gpus: ALL }, (at + 1 - rounds.length) * 1000),
    start,
  );
}

function isHeavyAfter(...rounds: readonly (readonly SeenProcess[])[]): boolean {
  return heavyProcesses(after(rounds)).length > 0;
}

describe('a process counts', () => {
  const busy = process({ smPercent: 10 });
  const idle = process({ smPercent: 9 });
  const unknown = process();

  test.each<[string, readonly SeenProcess[], boolean]>([
    ['at once with more than 500 MiB', [process({ usedMiB: 501 })], true],
    ['not with 500 MiB', [process({ usedMiB: 500 })], false],
    ['where it only draws', [process({ type: 'G', usedMiB: 2100 })], true],
    ['where it computes', [process({ type: 'C', usedMiB: 2100 })], true],
    ['not for one round with a large share', [busy], false],
    ['for a large share in two rounds', [busy, busy], true],
    ['for a large share in two of three', [busy, idle, busy], true],
    ['not for two of four', [busy, idle, idle, busy], false],
    ['not with a small share', [idle, idle, idle], false],
    ['not where nothing is known of its share', [unknown, unknown, unknown], false],
    ['not where nothing is known of its memory', [process({ usedMiB: undefined })], false],
    ['once it grows', [process({ usedMiB: 300 }), process({ usedMiB: 801 })], true],
  ])('%s', (_, rounds, counts) => {
    expect(isHeavyAfter(...rounds.map((one) => [one]))).toBe(counts);
  });

  test('no longer where it has kept its memory and done nothing for a while: a browser that is left open', () => {
    const open = process({ name: 'firefox', usedMiB: 900, smPercent: 3 });
    const rounds = Array.from({ length: SETTLED_MS / 1000 + 1 }, () => [open]);
    expect(isHeavyAfter(...rounds)).toBe(false);
    expect(isHeavyAfter(...rounds.slice(1))).toBe(true);
    expect(isHeavyAfter(...rounds, [process({ usedMiB: 1401 })])).toBe(true);
    expect(isHeavyAfter(...rounds, [process({ usedMiB: 100 })], [process({ usedMiB: 601 })])).toBe(true);
  });

  test('again as a new one where its id comes back', () => {
    const open = process({ usedMiB: 900 });
    const rounds = Array.from({ length: SETTLED_MS / 1000 + 1 }, () => [open]);
    expect(isHeavyAfter(...rounds, [], [open])).toBe(true);
  });

  test('on each GPU by itself', () => {
    const records = after([[process({ usedMiB: 900 }), process({ gpu: OTHER, usedMiB: 30 })]]);
    expect(heavyProcesses(records).map(({ gpu }) => gpu)).toStrictEqual([GPU]);
  });
});

describe('a round that is not whole', () => {
  test('forgets no process of a GPU that is not whole in it', () => {
    const before = after([[process({ usedMiB: 900 }), process({ gpu: OTHER, usedMiB: 900 })]]);
    const half = recordRound(before, { processes: [], gpus: new Set([GPU]) }, 1000);
    expect(heavyProcesses(half).map(({ gpu }) => gpu)).toStrictEqual([OTHER]);
  });

  test('shows what is in it, and leaves the rest unknown', () => {
    const heavy = [process({ usedMiB: 900 })];
    expect(foreignUse(heavy, () => 'foreign', false)).toMatchObject({ state: 'used' });
    expect(foreignUse([], () => 'foreign', false)).toMatchObject({ state: 'unknown' });
  });
});

describe('whose use it is', () => {
  const heavy = [process({ pid: 1 }), process({ pid: 2 })];

  test.each<[string, readonly ProcessOwner[], string]>([
    ['our jobs are not foreign', ['ours', 'ours'], 'quiet'],
    ['somebody else’s process beside ours is', ['ours', 'foreign'], 'used'],
    ['a process that may be ours leaves it unknown', ['ours', 'unknown'], 'unknown'],
    ['a foreign one says enough beside an unknown one', ['unknown', 'foreign'], 'used'],
  ])('%s', (_, owners, state) => {
    expect(foreignUse(heavy, (pid) => owners[pid - 1] ?? 'unknown', true).state).toBe(state);
  });

  test('ours are never among those that are named', () => {
    const use = foreignUse(heavy, (pid) => (pid === 1 ? 'ours' : 'foreign'), true);
    expect(use).toStrictEqual({ state: 'used', by: [heavy[1]] });
  });
});

describe('a GPU as a whole', () => {
  test('counts from what it had first', () => {
    const first = recordUse(undefined, { usedMiB: 1200, smPercent: 2 }, { now: 0, baselineMiB: 1200 });
    expect(first).toMatchObject({ baselineMiB: 1200 });
    expect(recordUse(first, { usedMiB: 1800, smPercent: 2 }, { now: 1000 })).toMatchObject({
      baselineMiB: 1200,
    });
  });
});

test('a process without memory or share never counts, however many rounds it is seen in', () => {
  const idle = fc.record({
    usedMiB: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
    smPercent: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(idle, { maxLength: 400 }), (rounds) => {
      expect(isHeavyAfter(...rounds.map((figures) => [process(figures)]))).toBe(false);
    }),
  );
});
