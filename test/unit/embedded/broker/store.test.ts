import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../../src/domain/job.ts';
import { DEFAULT_CATALOGUE } from '../../../../src/embedded/broker/catalogue-data.ts';
import { RunPages } from '../../../../src/embedded/broker/http/run-pages.ts';
import { INSTANCE_TYPE } from '../../../../src/embedded/broker/store/rows.ts';
import { BrokerStore } from '../../../../src/embedded/broker/store/store.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';

function openStore() {
  const store = new BrokerStore({
    clock: new ManualClock(),
    uuid: randomUUID,
    catalogue: DEFAULT_CATALOGUE,
    leaseSeconds: undefined,
    users: [{ username: 'only', password: 'p', token: 't', balance: 1 }],
  });
  const image = store.addImage({ registryPath: 'sharedcloud/node8', requiresGpu: false, runtime: 'node8' });
  const fn = store.addFunction({ name: 'hello', code: '', image });
  const terms = { name: 'cpu', type: INSTANCE_TYPE.CPU, gpu: null, askPrice: 0.1, maxNumParallelJobs: 1 };
  return { store, fn, instance: store.instances.get(store.addInstance(terms)) };
}

describe('a store accepts', () => {
  test('a run with invalid parameters if its arguments are given', () => {
    const { store, fn } = openStore();
    const run = store.addRun({ function: fn, parameters: '((', bidPrice: 1, jobArguments: ['((', ')'] });
    expect(store.market.runs.get(run)).toMatchObject({ parameters: '((', numJobs: 2 });
    expect(store.jobsOf(run).map((job) => job.arguments)).toEqual(['((', ')']);
    expect(() => store.addRun({ function: fn, parameters: '((', bidPrice: 1 })).toThrow('invalid');
  });

  test('a run whose function was deleted, for every instance', () => {
    const { store, fn, instance } = openStore();
    const run = store.market.runs.get(store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 1 }));
    store.functions.remove(fn);
    expect(store.market.whyIneligible(run, instance)).toBeUndefined();
  });

  test('a deletion of a run in progress if it is forced', () => {
    const { store, fn, instance } = openStore();
    const run = store.addRun({ function: fn, parameters: '((1,), (2,))', bidPrice: 1 });
    const [job] = store.jobsOf(run);
    store.market.change(job?.uuid ?? '', instance, { kind: 'claim' });
    expect(() => store.deleteRun(run)).toThrow('non_field_errors');
    store.deleteRun(run, { evenInProgress: true });
    expect(store.market.jobs.heldBy(instance.uuid)).toEqual([]);
    expect([store.job(job?.uuid ?? ''), store.jobsOf(run)]).toEqual([undefined, []]);
    expect([[...store.market.open.runs()], [...store.market.winnable.runs()]]).toEqual([[], []]);
  });
});

test('events follow a job’s lifecycle, without repeated requests', () => {
  const { store, fn, instance } = openStore();
  const kinds: string[] = [];
  const stop = store.onEvent((event) => kinds.push(event.kind));
  const run = store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 1 });
  const [job] = store.jobsOf(run);
  const change = (kind: 'claim' | 'release') => store.market.change(job?.uuid ?? '', instance, { kind });
  for (const kind of ['claim', 'claim', 'release', 'release', 'claim'] as const) change(kind);
  store.market.change(job?.uuid ?? '', instance, {
    kind: 'report',
    report: { status: JOB_STATUS.SUCCEEDED, buildLogs: '', stdout: '', stderr: '', result: '1' },
  });
  expect(kinds).toEqual(['run-added', 'claimed', 'released', 'claimed', 'reported']);
  stop();
  store.deleteRun(run);
  expect(kinds).toHaveLength(5);
});

describe('pages of runs', () => {
  test('are serialised once per second and version, and shared by equal instances', () => {
    const { store, fn, instance } = openStore();
    for (let n = 0; n < 20_000; n++) store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 0.5 });
    const pages = new RunPages(store.market);
    const list = store.market.winnable;
    const first = pages.page(list, instance, 1000);
    expect(pages.page(list, { ...instance, uuid: 'another' }, 1999)).toBe(first);
    expect(pages.page(list, instance, 2000)).not.toBe(first);
    expect(JSON.parse(first.toString())).toHaveLength(20_000);
    expect(pages.page(list, { ...instance, askPrice: 0.6 }, 1000).toString()).toBe('[]');
    store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 0.5 });
    expect(JSON.parse(pages.page(list, instance, 1000).toString())).toHaveLength(20_001);
  });
});
