import { describe, expect, test } from 'vitest';
import type { RunRow } from '../../../../src/embedded/broker/store/rows.ts';
import { RunList } from '../../../../src/embedded/broker/store/run-list.ts';

describe('a list of runs', () => {
  const run: RunRow = {
    uuid: 'run',
    owner: 'buyer',
    function: 'fn',
    functionName: 'hello',
    baseGpu: null,
    baseGpuName: 'n/a',
    parameters: '((1,),)',
    numJobs: 1,
    bidPrice: 1,
    createdAt: 0,
  };

  test('has a new version exactly when it changes', () => {
    const list = new RunList();
    list.show(run, false);
    expect(list.version).toBe(0);
    list.show(run, true);
    list.show(run, true);
    expect([list.version, [...list.runs()]]).toEqual([1, [run]]);
    list.show(run, false);
    expect([list.version, [...list.runs()]]).toEqual([2, []]);
  });

  test('ends a wait on a change, on an abort, or at once for an older version', async () => {
    const list = new RunList();
    const { signal } = new AbortController();
    const over = new AbortController();
    const [byChange, bySignal] = [list.changed(0, signal), list.changed(0, over.signal)];
    expect(list.waiting).toBe(2);
    over.abort();
    await bySignal;
    expect(list.waiting).toBe(1);
    list.show(run, true);
    await byChange;
    await list.changed(0, signal);
    await list.changed(1, over.signal);
    expect(list.waiting).toBe(0);
  });
});
