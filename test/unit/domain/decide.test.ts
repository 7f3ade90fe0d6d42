import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type MarketKnowledge, type SkipReason, type Verdict } from '../../../src/domain/decide.ts';
import type { CatalogueGpu } from '../../../src/domain/gpu.ts';
import type { OpenRun } from '../../../src/domain/run.ts';
import { aFunction, anImage, anOffer, anOpenRun, IMAGE_NAME } from '../../support/domain.ts';

const small: CatalogueGpu = { uuid: 'gpu-small', name: 'Nvidia Small', codename: 'small', cudaCores: 100 };
const big: CatalogueGpu = { uuid: 'gpu-big', name: 'Nvidia Big', codename: 'big', cudaCores: 9000 };
const t4: CatalogueGpu = { uuid: 'gpu-t4', name: 'Nvidia Tesla T4 16GB', codename: 't4', cudaCores: 2560 };

function knowledge(more: Partial<MarketKnowledge> = {}): MarketKnowledge {
  return {
    catalogue: new Map([small, big, t4].map((gpu) => [gpu.uuid, gpu])),
    images: ['sharedcloud/*'],
    imageState: () => 'ready',
    backoff: new Map(),
    ...more,
  };
}

function reasonFor(
  open: OpenRun,
  more: Partial<MarketKnowledge> = {},
  offer = anOffer(),
  free = 1,
): SkipReason | 'take' {
  const [verdict] = decide([open], offer, free, knowledge(more), 0);
  return verdict?.kind === 'skip' ? verdict.reason : 'take';
}

describe('decides on', () => {
  const cpuOffer = anOffer({ key: 'cpu', kind: 'cpu', gpu: null, cudaCores: 0 });
  const cases: readonly [string, SkipReason | 'take', () => SkipReason | 'take'][] = [
    ['a bid at the ask', 'take', () => reasonFor(anOpenRun({ bidPrice: 0.1 }))],
    ['a bid just below the ask', 'bid-below-ask', () => reasonFor(anOpenRun({ bidPrice: 0.0999999 }))],
    ['a bid that is not a number', 'bid-below-ask', () => reasonFor(anOpenRun({ bidPrice: Number.NaN }))],
    ['a run without jobs', 'invalid', () => reasonFor(anOpenRun({ numJobs: 0 }))],
    ['a run for a smaller GPU', 'take', () => reasonFor(anOpenRun({ baseGpu: small.uuid }))],
    ['a run for this GPU', 'take', () => reasonFor(anOpenRun({ baseGpu: t4.uuid }))],
    ['a run for a larger GPU', 'gpu-too-small', () => reasonFor(anOpenRun({ baseGpu: big.uuid }))],
    [
      'a run for a GPU that is not in the catalogue',
      'gpu-unknown',
      () => reasonFor(anOpenRun({ baseGpu: 'gpu-x' })),
    ],
    [
      'a run for this GPU when the offer is a slice of it',
      'gpu-too-small',
      () => reasonFor(anOpenRun({ baseGpu: t4.uuid }), {}, anOffer({ wholeGpu: false, cudaCores: 365 })),
    ],
    [
      'a function that is not looked up yet',
      'unresolved',
      () => reasonFor(anOpenRun({}, { function: undefined, image: undefined })),
    ],
    [
      'a function with an unsupported runtime',
      'unsupported-runtime',
      () => reasonFor(anOpenRun({}, { function: aFunction({ runtime: 'cobol85' }) })),
    ],
    [
      'a CPU image for a GPU offer',
      'wrong-offer-type',
      () => reasonFor(anOpenRun({}, { image: anImage({ requiresGpu: false }) })),
    ],
    ['a GPU image for a CPU offer', 'wrong-offer-type', () => reasonFor(anOpenRun(), {}, cpuOffer)],
    [
      'a CPU image for a CPU offer with a base_gpu',
      'take',
      () =>
        reasonFor(anOpenRun({ baseGpu: big.uuid }, { image: anImage({ requiresGpu: false }) }), {}, cpuOffer),
    ],
    [
      'an image that is not on the list',
      'image-not-allowed',
      () => reasonFor(anOpenRun(), { images: ['mine/*'] }),
    ],
    [
      'an image that could not be pulled',
      'image-failed',
      () => reasonFor(anOpenRun(), { imageState: () => 'failed' }),
    ],
    [
      'an image that is not pulled yet',
      'image-not-pulled',
      () => reasonFor(anOpenRun(), { imageState: () => 'missing' }),
    ],
    ['a run when no slot is free', 'no-slot', () => reasonFor(anOpenRun(), {}, anOffer(), 0)],
    [
      'a run in backoff until later',
      'in-backoff',
      () => reasonFor(anOpenRun(), { backoff: new Map([['run-1', { reason: 'in-backoff', until: 1 }]]) }),
    ],
    [
      'a run in backoff until now',
      'take',
      () => reasonFor(anOpenRun(), { backoff: new Map([['run-1', { reason: 'in-backoff', until: 0 }]]) }),
    ],
  ];
  test.each(cases)('%s: %s', (_, expected, actual) => {
    expect(actual()).toBe(expected);
  });

  test('gives a run the slots whose windows are long enough, the shortest first', () => {
    const windows = {
      leftMs: [60, Infinity, 20, 5],
      expectedMs: ({ uuid }: { readonly uuid: string }) => (uuid === 'long' ? 50 : 10),
    };
    const runs = [
      anOpenRun({ uuid: 'short', bidPrice: 0.9, numJobs: 1 }),
      anOpenRun({ uuid: 'long', bidPrice: 0.5, numJobs: 9 }),
      anOpenRun({ uuid: 'late', bidPrice: 0.4, numJobs: 1 }),
    ];
    const verdicts = decide(runs, anOffer(), 4, knowledge({ windows }), 0);
    expect(verdicts.map((verdict) => (verdict.kind === 'take' ? verdict.jobs : verdict.reason))).toEqual([
      1,
      2,
      'ends-after-window',
    ]);
  });

  test('ranks the chance to be paid before the bid, because every job pays the ask', () => {
    const chances = new Map([
      ['sure', 1],
      ['doubtful', 0.3],
    ]);
    const runs = [
      anOpenRun({ uuid: 'doubtful', bidPrice: 0.9 }),
      anOpenRun({ uuid: 'sure', bidPrice: 0.2 }),
      anOpenRun({ uuid: 'new', bidPrice: 0.8 }),
      anOpenRun({ uuid: 'new-low', bidPrice: 0.3 }),
    ];
    const chancePaid = ({ uuid }: { readonly uuid: string }): number => chances.get(uuid) ?? 0.9;
    const verdicts = decide(runs, anOffer(), 1, knowledge({ chancePaid }), 0);
    expect(verdicts.map(({ open }) => open.run.uuid)).toEqual(['sure', 'new', 'new-low', 'doubtful']);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['take', 'skip', 'skip', 'skip']);
  });

  test('ranks by bid, then pulled images, then age', () => {
    const absent = aFunction({ registryPath: 'sharedcloud/absent' });
    const runs = [
      anOpenRun({ uuid: 'older', bidPrice: 0.2, createdAt: 1 }),
      anOpenRun({ uuid: 'younger', bidPrice: 0.2, createdAt: 2 }),
      anOpenRun({ uuid: 'missing', bidPrice: 0.2, createdAt: 0 }, { function: absent }),
      anOpenRun({ uuid: 'best', bidPrice: 0.9, createdAt: 9 }),
    ];
    const verdicts = decide(
      runs,
      anOffer(),
      3,
      knowledge({ imageState: (ref) => (ref === IMAGE_NAME ? 'ready' : 'missing') }),
      0,
    );
    expect(verdicts.map(({ open }) => open.run.uuid)).toEqual(['best', 'older', 'younger', 'missing']);
  });
});

describe('for any market', () => {
  const runArb = fc.record({
    uuid: fc.uuid(),
    bidPrice: fc.oneof(fc.double({ min: 0, max: 1 }), fc.constantFrom(0.1, Number.NaN, -1)),
    numJobs: fc.integer({ min: -1, max: 20 }),
    createdAt: fc.integer({ min: 0, max: 3 }),
    baseGpu: fc.constantFrom(null, small.uuid, big.uuid, t4.uuid, 'gpu-x'),
    requiresGpu: fc.boolean(),
    registryPath: fc.constantFrom(IMAGE_NAME, 'sharedcloud/other', 'evil/image', '../../etc'),
  });
  const marketArb = fc
    .uniqueArray(runArb, { selector: ({ uuid }) => uuid, maxLength: 30 })
    .map((runs) =>
      runs.map(({ registryPath, requiresGpu, ...run }) =>
        anOpenRun(run, { function: aFunction({ registryPath }), image: anImage({ requiresGpu }) }),
      ),
    );
  const takesOf = (verdicts: readonly Verdict[]) =>
    verdicts.flatMap((verdict) => (verdict.kind === 'take' ? [verdict] : []));

  test('never goes below the ask, above the free slots or off the image list, and has one verdict per run', () => {
    fc.assert(
      fc.property(marketArb, fc.integer({ min: 0, max: 8 }), (market, free) => {
        const verdicts = decide(market, anOffer(), free, knowledge(), 0);
        expect(verdicts.map(({ open }) => open).sort(byUuid)).toEqual([...market].sort(byUuid));
        const takes = takesOf(verdicts);
        expect(takes.reduce((sum, { jobs }) => sum + jobs, 0)).toBeLessThanOrEqual(free);
        for (const { jobs, open } of takes) {
          expect(open.run.bidPrice).toBeGreaterThanOrEqual(0.1);
          expect(open.function?.registryPath.startsWith('sharedcloud/')).toBe(true);
          expect(jobs).toBeGreaterThanOrEqual(1);
          expect(jobs).toBeLessThanOrEqual(open.run.numJobs);
        }
      }),
    );
  });

  test('the order of the input makes no difference', () => {
    const chancePaid = ({ uuid }: { readonly uuid: string }): number => (uuid.charCodeAt(0) % 3) / 3;
    const shuffled = marketArb.chain((market) =>
      fc.tuple(
        fc.constant(market),
        fc.shuffledSubarray(market, { minLength: market.length, maxLength: market.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 0, max: 8 }), ([market, other], free) => {
        const taken = (runs: readonly OpenRun[]) =>
          takesOf(decide(runs, anOffer(), free, knowledge({ chancePaid }), 0)).map(({ jobs, open }) => [
            open.run.uuid,
            jobs,
          ]);
        expect(taken(other)).toEqual(taken(market));
      }),
    );
  });

  describe('with windows that end', () => {
    const leftArb = fc.array(fc.constantFrom(0, 5, 10, 20, Infinity), { maxLength: 8 });
    const expectedMs = ({ uuid }: { readonly uuid: string }): number =>
      [1, 7, 15, 30][uuid.charCodeAt(0) % 4] ?? 0;

    test('takes only jobs that end before the window of a slot of their own does', () => {
      fc.assert(
        fc.property(marketArb, leftArb, fc.integer({ min: 0, max: 8 }), (market, leftMs, free) => {
          const windows = { leftMs, expectedMs };
          const room = Math.min(free, leftMs.length);
          const verdicts = decide(market, anOffer(), room, knowledge({ windows }), 0);
          const needs = takesOf(verdicts).flatMap(({ jobs, open }) =>
            Array.from({ length: jobs }, () => expectedMs(open.run)),
          );
          expect(needs.length).toBeLessThanOrEqual(room);
          // Longest job in longest window: if any assignment works, this one does.
          const left = leftMs.toSorted((a, b) => (a === b ? 0 : b > a ? 1 : -1));
          const longest = needs.toSorted((a, b) => b - a);
          expect(longest.every((need, index) => need <= (left[index] ?? -1))).toBe(true);
          const tooLong = verdicts.filter(
            (verdict) => verdict.kind === 'skip' && verdict.reason === 'ends-after-window',
          );
          for (const { open } of tooLong)
            expect(leftMs.filter((ms) => ms >= expectedMs(open.run)).length).toBeLessThanOrEqual(
              needs.length,
            );
        }),
      );
    });

    test('decides as without windows if none ends', () => {
      fc.assert(
        fc.property(marketArb, fc.integer({ min: 0, max: 8 }), (market, free) => {
          const windows = { leftMs: Array.from({ length: free }, () => Infinity), expectedMs: () => 1e9 };
          const ended = decide(market, anOffer(), free, knowledge({ windows }), 0);
          expect(ended).toEqual(decide(market, anOffer(), free, knowledge(), 0));
        }),
      );
    });
  });

  test('leaves a slot empty only if no run is left for it', () => {
    fc.assert(
      fc.property(marketArb, fc.integer({ min: 0, max: 8 }), (market, free) => {
        const verdicts = decide(market, anOffer(), free, knowledge(), 0);
        const used = takesOf(verdicts).reduce((sum, { jobs }) => sum + jobs, 0);
        const skippedForSlots = verdicts.some(
          (verdict) => verdict.kind === 'skip' && verdict.reason === 'no-slot',
        );
        expect(skippedForSlots && used < free).toBe(false);
      }),
    );
  });
});

function byUuid(a: OpenRun, b: OpenRun): number {
  return a.run.uuid < b.run.uuid ? -1 : 1;
}
