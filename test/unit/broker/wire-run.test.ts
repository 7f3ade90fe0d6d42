import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoizedTime, RunList, type RunList as Runs } from '../../../src/broker/wire-run.ts';
import { LIMITS } from '../../../src/limits.ts';
import { runResource } from '../../support/broker-client/resources.ts';

const add = (runs: Runs, json: unknown, bytes = 100): void =>
  runs.add({ kind: 'item', json, omitted: new Map(), bytes });

describe('the runs of a list', () => {
  test('are each valid or invalid, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 50 }), (items) => {
        const runs = new RunList();
        for (const item of items) add(runs, item);
        expect(runs.end().length + runs.invalid.items.length).toBe(items.length);
      }),
    );
  });

  test('of which some are invalid has the first of those, and counts the others', () => {
    const runs = new RunList();
    for (let i = 0; i < 1_000; i += 1) add(runs, {});
    expect(runs.invalid.items).toHaveLength(LIMITS.broker.invalidItems.max);
    expect(runs.invalid.more).toBe(1_000 - LIMITS.broker.invalidItems.max);
  });

  const bids = (runs: Runs): readonly number[] => runs.end().map(({ bidPrice }) => bidPrice);
  const few = Math.floor(LIMITS.broker.runBytes.max / 100);

  test.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => 1_000 - i],
    ['in any order', (i: number) => (i * 7919) % 1_000],
  ])('whose bids are %s and that are too many are those with the highest bids', (_, bid) => {
    const runs = new RunList();
    for (let i = 0; i < 1_000; i += 1) add(runs, runResource({ uuid: `r${i}`, bid_price: bid(i) }), few);
    const kept = bids(runs);
    expect(runs.isCut).toBe(true);
    expect(kept.length).toBeGreaterThan(80);
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(Math.min(...kept)).toBeGreaterThanOrEqual(900);
  });

  test('is cut by a run at a time, and has the first of two with the same id', () => {
    const runs = new RunList();
    for (let i = 0; i < 150; i += 1) {
      add(runs, runResource({ uuid: `r${i}`, bid_price: i }), few);
      add(runs, runResource({ uuid: `r${i}`, bid_price: 1_000 }), few);
      expect(runs.end()).toHaveLength(Math.min(i + 1, 100));
    }
    expect(Math.max(...bids(runs))).toBe(149);
  });

  test('whose bids are equal and that are too many are those that came first', () => {
    const runs = new RunList();
    for (let i = 0; i < 1_000; i += 1) add(runs, runResource({ uuid: `r${i}` }), few);
    expect(runs.end().every(({ uuid }) => Number(uuid.slice(1)) < 100)).toBe(true);
    expect(runs.end().length).toBeGreaterThan(80);
  });

  test('that is not too long is whole', () => {
    const runs = new RunList();
    for (let i = 0; i < 100; i += 1) add(runs, runResource({ uuid: `r${i}` }), few);
    expect([runs.end().length, runs.isCut]).toEqual([100, false]);
  });

  test('has few times that are remembered, and none that is not a time', () => {
    const parsed: string[] = [];
    const time = memoizedTime((text) => {
      parsed.push(text);
      return text.startsWith('not') ? undefined : 1;
    });
    for (const text of ['first', 'first', 'not', 'not']) time(text);
    expect(parsed).toEqual(['first', 'not', 'not']);
    for (let i = 0; i < 1_000; i += 1) time(`${i}`);
    time('first');
    expect(parsed).toHaveLength(3 + 1_000 + 1);
  });

  test('has long names cut', () => {
    const runs = new RunList();
    add(runs, runResource({ function_name: '\u{1f600}'.repeat(1_000), base_gpu_name: 'x'.repeat(200) }));
    const [run] = runs.end();
    expect(run?.functionName.length).toBeLessThanOrEqual(LIMITS.broker.name.max);
    expect(run?.functionName.isWellFormed()).toBe(true);
    expect(run?.baseGpuName).toBe('x'.repeat(200));
  });
});
