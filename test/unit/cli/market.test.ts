import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate, type Sources } from '../../../src/cli/market/evaluate.ts';
import { marketText } from '../../../src/cli/market/render.ts';
import { type MarketRow, rowsFor, worthResolving } from '../../../src/cli/market/rows.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { Run } from '../../../src/domain/run.ts';
import { aPage } from '../../support/cli/page.ts';
import { aFunctionWithCode, anImage, anOffer, anOpenRun, aRun, listed } from '../../support/domain.ts';

const KNOWN = {
  catalogue: new Map([['big', { uuid: 'big', name: 'Big', codename: 'big', cudaCores: 99_999 }]]),
  images: ['*'],
  imageState: () => 'ready' as const,
  backoff: new Map(),
};
const CPU = anOffer({ key: 'cpu', kind: 'cpu', name: 'CPU', gpu: null, cudaCores: 0, askPrice: 0.05 });
const GPU = anOffer({ name: 'GPU' });
const slots = (count: number) => Array.from({ length: count }, (_, id) => ({ id: `${id}`, gpu: null }));

describe('the row of a run', () => {
  const row = (...args: Parameters<typeof rowsFor>): MarketRow | undefined => rowsFor(...args)[0];

  test('names the offer that takes it', () => {
    const open = anOpenRun({ numJobs: 3 });
    expect(row([open], [GPU], KNOWN)).toMatchObject({ taken: 1, jobs: 3 });
    expect(row([open], [CPU, GPU], KNOWN)).toMatchObject({
      taken: 1,
      offers: ['GPU'],
      ask: 0.1,
    });
    const two = [{ ...GPU, slots: slots(2) }, anOffer({ name: 'other', slots: slots(2) })];
    expect(row([open], two, KNOWN)).toMatchObject({ taken: 3, offers: ['GPU', 'other'] });
  });

  test('has the lack of free GPU memory as its reason, unless another GPU of the offer is free', () => {
    const open = anOpenRun();
    const offer = { ...GPU, slots: [{ id: 'a#0', gpu: 'GPU-a' }] };
    const short = { ...KNOWN, shortOfMemory: new Set(['GPU-a']) };
    expect(row([open], [offer], short)).toMatchObject({ taken: 0, reason: 'gpu-memory-short' });
    const two = { ...GPU, slots: [...offer.slots, { id: 'b#0', gpu: 'GPU-b' }] };
    expect(row([open], [two], short)).toMatchObject({ taken: 1, reason: null });
  });

  test('has the end of the window as its reason, unless a slot stays open for long enough', () => {
    const slot = (gpu: string) => ({ id: `${gpu}#0`, gpu });
    const offer = { ...GPU, slots: [slot('GPU-a'), slot('GPU-b')] };
    const times = (left: Readonly<Record<string, number>>) => ({
      leftMs: ({ gpu }: { readonly gpu: string | null }) => left[gpu ?? ''] ?? Infinity,
      chancePaid: () => 1,
      askOf: () => 0.1,
      expectedMs: () => 60,
    });
    const open = anOpenRun({ numJobs: 2 });
    expect(rowsFor([open], [offer], KNOWN, times({ 'GPU-a': 0, 'GPU-b': 59 }))[0]).toMatchObject({
      taken: 0,
      reason: 'ends-after-window',
    });
    expect(rowsFor([open], [offer], KNOWN, times({ 'GPU-a': 0 }))[0]).toMatchObject({
      taken: 1,
      reason: null,
    });
  });

  test('has the reason of the offer that came closest', () => {
    const bigger = anOpenRun({ baseGpu: 'big', baseGpuName: 'Big' });
    expect(row([bigger], [CPU, GPU], KNOWN)).toMatchObject({ reason: 'gpu-too-small', ask: 0.1 });
    expect(row([anOpenRun()], [CPU], KNOWN)).toMatchObject({ reason: 'wrong-offer-type', ask: 0.05 });
    const cheap = anOpenRun({ bidPrice: 0.07 }, { image: anImage({ requiresGpu: false }) });
    const away = { ...KNOWN, imageState: () => 'missing' as const };
    expect(row([cheap], [GPU, CPU], away)).toMatchObject({ reason: 'image-not-pulled', ask: 0.05 });
  });

  test('never takes more jobs than there are, nor below the ask, whatever the market', () => {
    const runs = fc.array(
      fc.record({ numJobs: fc.nat(5), bidPrice: fc.float({ min: 0, max: 1 }), gpu: fc.boolean() }),
    );
    fc.assert(
      fc.property(runs, fc.nat(4), fc.nat(4), (specs, gpuSlots, cpuSlots) => {
        const open = specs.map(({ bidPrice, gpu, numJobs }, index) =>
          anOpenRun({ uuid: `${index}`, bidPrice, numJobs }, { image: anImage({ requiresGpu: gpu }) }),
        );
        const rows = rowsFor(
          open,
          [
            { ...GPU, slots: slots(gpuSlots) },
            { ...CPU, slots: slots(cpuSlots) },
          ],
          KNOWN,
        );
        expect(rows.map(({ run }) => run).sort()).toEqual(open.map(({ run }) => run.uuid).sort());
        expect(rows.reduce((sum, { taken }) => sum + taken, 0)).toBeLessThanOrEqual(gpuSlots + cpuSlots);
        for (const { ask, bid, jobs, reason, taken } of rows) {
          expect(taken).toBeLessThanOrEqual(jobs);
          expect(taken > 0).toBe(reason === null);
          if (taken > 0) expect(bid).toBeGreaterThanOrEqual(ask ?? Infinity);
        }
      }),
    );
  });

  test('is resolved only if it passes the checks that need no look-up, best bid first', () => {
    const bare = (run: Partial<Run>) => ({ run: aRun(run), function: undefined, image: undefined });
    const runs = [
      bare({ uuid: 'cheap', bidPrice: 0.01 }),
      bare({ uuid: 'low', bidPrice: 0.2 }),
      bare({ uuid: 'high', bidPrice: 0.3 }),
    ];
    expect(worthResolving(runs, [CPU, GPU], KNOWN).map(({ run }) => run.uuid)).toEqual(['high', 'low']);
  });
});

describe('an evaluation', () => {
  const host = {
    offers: [GPU],
    catalogue: KNOWN.catalogue,
    images: ['*'],
    shortOfMemory: new Set<string>(),
    maxResolved: 200,
  };

  /** A broker that records its calls. */
  function recordingBroker(changes: Partial<Sources['broker']> = {}) {
    const calls: string[] = [];
    const broker: Sources['broker'] = {
      function: async (uuid) => {
        calls.push(`function ${uuid}`);
        return aFunctionWithCode({ uuid, imageUuid: uuid === 'lost' ? 'gone' : 'image-1' });
      },
      image: async (uuid) => {
        calls.push(`image ${uuid}`);
        return uuid === 'gone' ? undefined : anImage({ uuid });
      },
      openJobs: async (run) => {
        calls.push(`jobs ${run}`);
        if (run === 'garbage') return listed([{ ...A_JOB, arguments: '((' }]);
        return listed(run === 'done' ? [] : [A_JOB]);
      },
      ...changes,
    };
    const imageState = () => Promise.resolve('ready' as const);
    return { calls, sources: { broker, imageState, signal: new AbortController().signal } };
  }

  test('of 100,000 runs resolves 200, asks for no function twice, and has a row for each', async () => {
    const runs = Array.from({ length: 100_000 }, (_, index) =>
      aRun({ uuid: `run-${index}`, functionUuid: `function-${index % 300}`, bidPrice: index / 100_000 }),
    );
    const { sources, calls } = recordingBroker();
    const { notes, rows } = await evaluate(runs, host, sources);
    expect(rows).toHaveLength(100_000);
    expect(rows[0]).toMatchObject({ run: 'run-99999', taken: 1 });
    expect(calls.filter((call) => call.startsWith('function'))).toHaveLength(200);
    expect(new Set(calls).size).toBe(calls.length);
    expect(calls.filter((call) => call.startsWith('jobs'))).toEqual(['jobs run-99999']);
    expect(notes).toEqual([expect.stringContaining('200')]);
    const shown = { broker: 'b', offers: [GPU], problems: [], rows, notes };
    expect(marketText(shown, aPage(100))).toContain('  10000  not taken: the bid is below the ask\n');
  });

  test('takes the next run where no job is open, and counts only open jobs', async () => {
    const { sources } = recordingBroker();
    const runs = [
      aRun({ uuid: 'done', bidPrice: 0.9 }),
      aRun({ uuid: 'half', bidPrice: 0.8, numJobs: 5 }),
      aRun({ uuid: 'last', bidPrice: 0.7 }),
    ];
    const { rows } = await evaluate(runs, { ...host, offers: [{ ...GPU, slots: slots(2) }] }, sources);
    expect(rows.map(({ reason, run, taken }) => [run, reason ?? taken])).toEqual([
      ['half', 1],
      ['last', 1],
      ['done', 'no-open-jobs'],
    ]);
  });

  test('tells invalid runs from those that could not be resolved', async () => {
    const { sources } = recordingBroker({
      function: async (uuid) => {
        if (uuid === 'broken') throw new AgentError('BROKER_UNAVAILABLE', 'it broke');
        return uuid === 'unknown'
          ? undefined
          : aFunctionWithCode({ uuid, imageUuid: uuid === 'lost' ? 'gone' : 'i' });
      },
    });
    const runs = ['fine', 'broken', 'unknown', 'lost'].map((name) =>
      aRun({ uuid: name, functionUuid: name }),
    );
    const garbage = aRun({ uuid: 'garbage', bidPrice: 0.9 });
    const { notes, rows } = await evaluate([...runs, garbage], host, sources);
    expect(new Map(rows.map(({ reason, run }) => [run, reason]))).toEqual(
      new Map([
        ['fine', null],
        ['broken', 'unresolved'],
        ['unknown', 'unresolved'],
        ['lost', 'unresolved'],
        ['garbage', 'invalid'],
      ]),
    );
    expect(notes).toHaveLength(1);
  });

  test('leaves the arguments of Python 2 to Python 2, as the agent does', async () => {
    const { sources } = recordingBroker({
      function: async (uuid) => aFunctionWithCode({ uuid, runtime: 'python27' }),
      openJobs: async () => listed([{ ...A_JOB, arguments: '(1L,)' }]),
    });
    const run = aRun({ uuid: 'old' });
    const { notes, rows } = await evaluate([run], host, sources);
    expect(rows).toMatchObject([{ run: 'old', reason: null, taken: 1 }]);
    expect(notes).toEqual([]);
  });

  test('without an offer says what each run needs', async () => {
    const { sources, calls } = recordingBroker({
      function: async (uuid) => {
        if (uuid === 'long') throw new AgentError('FUNCTION_INVALID', 'its code is too long');
        return aFunctionWithCode({ uuid });
      },
    });
    const runs = [
      aRun({ uuid: 'a', bidPrice: 0.2 }),
      aRun({ uuid: 'b', bidPrice: 0.1, functionUuid: 'long' }),
    ];
    const { rows } = await evaluate(runs, { ...host, offers: [], images: ['mine/*'] }, sources);
    expect(rows.map(({ reason, run }) => [run, reason])).toEqual([
      ['a', 'nothing-offered'],
      ['b', 'invalid'],
    ]);
    for (const need of ['GPU', '$0.20', '--images']) expect(rows[0]?.words).toContain(need);
    expect(calls.some((call) => call.startsWith('jobs'))).toBe(false);
  });
});

const A_JOB = {
  uuid: 'job-1',
  run: 'run-1',
  arguments: '(1,)',
  status: 1,
  instance: null,
  leaseSeconds: undefined,
  cost: undefined,
};
