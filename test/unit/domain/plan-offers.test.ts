import { describe, expect, test } from 'vitest';
import { type CatalogueGpu, type Gpu, sliceShare } from '../../../src/domain/gpu.ts';
import { namedCatalogue } from '../../../src/domain/named-catalogue.ts';
import { type GpuTerms, planOffers } from '../../../src/domain/plan-offers.ts';

const T4: CatalogueGpu = { uuid: 'c-t4', name: 'Nvidia Tesla T4 16GB', codename: 't4', cudaCores: 2560 };
const H100: CatalogueGpu = { uuid: 'c-h100', name: 'Nvidia H100 80GB', codename: 'h100', cudaCores: 16896 };
const SMALL: CatalogueGpu = {
  uuid: 'c-8',
  name: 'Nvidia RTX 4060 Ti 8GB',
  codename: '4060ti',
  cudaCores: 4352,
};
const LARGE: CatalogueGpu = {
  ...SMALL,
  uuid: 'c-16',
  name: 'Nvidia RTX 4060 Ti 16GB',
  codename: '4060ti-16',
};
const CATALOGUE = [T4, H100, SMALL, LARGE];

function gpu(changes: Partial<Gpu> = {}): Gpu {
  return {
    uuid: 'GPU-a',
    index: 0,
    model: 'Tesla T4',
    busId: '00000000:01:00.0',
    driver: '580.10',
    memoryTotalMiB: 15360,
    memoryUsedMiB: 0,
    utilizationPercent: 0,
    temperatureC: 40,
    powerDrawW: 10,
    powerLimitW: 70,
    migMode: false,
    slices: [],
    fault: undefined,
    ...changes,
  };
}

const h100 = (changes: Partial<Gpu>): Gpu =>
  gpu({ model: 'NVIDIA H100 80GB HBM3', memoryTotalMiB: 81559, migMode: true, ...changes });

function plan(
  gpus: readonly Gpu[],
  terms: Partial<GpuTerms> = {},
  cpuSlots = 0,
  askPrice: number | undefined = 0.01,
) {
  const settings = {
    cpuSlots,
    askPrice,
    gpu: () => ({ askPrice: 0.02, catalogue: undefined, slots: 1, ...terms }),
  };
  return planOffers(gpus, namedCatalogue(CATALOGUE), settings);
}

describe('several slots on a GPU', () => {
  test('come with a note that they share its memory', () => {
    const { notes, offers } = plan([gpu()], { slots: 2 });
    expect(offers[0]?.slots).toHaveLength(2);
    expect(notes).toEqual([
      expect.objectContaining({ hint: expect.stringContaining('--slots-per-gpu') as unknown }),
    ]);
  });

  test('are one where its compute mode allows one process, with a note how to change that', () => {
    const { notes, offers } = plan([gpu({ exclusive: true, index: 3 })], { slots: 2 });
    expect(offers[0]?.slots).toHaveLength(1);
    expect(notes).toEqual([
      expect.objectContaining({ hint: expect.stringContaining('-c 0 -i 3') as unknown }),
    ]);
    expect(plan([gpu({ exclusive: true })], { slots: 1 }).notes).toEqual([]);
  });

  test('need no note on MIG slices, nor on a GPU that is not offered', () => {
    const sliced = h100({ slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] });
    expect(plan([sliced, gpu({ fault: 'lost' })], { slots: 2 }).notes).toEqual([]);
  });

  test('a hint of the fault itself replaces the general one', () => {
    const { problems } = plan([gpu({ fault: 'Prohibited', faultHint: 'run it' })]);
    expect(problems).toMatchObject([{ why: 'Prohibited', hint: 'run it' }]);
  });
});

describe('planOffers', () => {
  test('makes one offer per model with the slots of all its GPUs', () => {
    const gpus = [gpu(), gpu({ uuid: 'GPU-b', index: 1 }), h100({ uuid: 'GPU-c', index: 2, migMode: false })];
    const { offers, problems } = plan(gpus, { slots: 2 });
    expect(problems).toEqual([]);
    expect(offers).toEqual([
      {
        key: 'gpu:Tesla T4',
        kind: 'gpu',
        name: 'Tesla T4',
        gpu: T4,
        cudaCores: 2560,
        wholeGpu: true,
        askPrice: 0.02,
        slots: [
          { id: 'GPU-a#0', gpu: 'GPU-a' },
          { id: 'GPU-a#1', gpu: 'GPU-a' },
          { id: 'GPU-b#0', gpu: 'GPU-b' },
          { id: 'GPU-b#1', gpu: 'GPU-b' },
        ],
      },
      expect.objectContaining({ key: 'gpu:NVIDIA H100 80GB HBM3', gpu: H100, wholeGpu: true }),
    ]);
  });

  test('gives each GPU the same slots, whatever its index and the order of nvidia-smi', () => {
    const slotsOf = (gpus: readonly Gpu[]) =>
      plan(gpus)
        .offers.flatMap(({ slots }) => slots)
        .toSorted((a, b) => a.id.localeCompare(b.id));
    const before = [gpu(), gpu({ uuid: 'GPU-b', index: 1 })];
    const after = [gpu({ uuid: 'GPU-b', index: 0 }), gpu({ index: 1 })];
    expect(slotsOf(after)).toEqual(slotsOf(before));
  });

  test('makes one offer per MIG profile with a slot per slice', () => {
    const slices = [
      { uuid: 'MIG-1', profile: '3g.40gb' },
      { uuid: 'MIG-2', profile: '1g.10gb' },
      { uuid: 'MIG-3', profile: '1g.10gb' },
    ];
    const { offers, problems } = plan([h100({ slices })], { slots: 4 });
    expect(problems).toEqual([]);
    expect(
      offers.map(({ cudaCores, gpu, key, slots, wholeGpu }) => [key, gpu, cudaCores, wholeGpu, slots]),
    ).toEqual([
      ['gpu:NVIDIA H100 80GB HBM3 MIG 3g.40gb', H100, 7241, false, [{ id: 'MIG-1#0', gpu: 'MIG-1' }]],
      [
        'gpu:NVIDIA H100 80GB HBM3 MIG 1g.10gb',
        H100,
        2413,
        false,
        [
          { id: 'MIG-2#0', gpu: 'MIG-2' },
          { id: 'MIG-3#0', gpu: 'MIG-3' },
        ],
      ],
    ]);
  });

  test('offers nothing of a GPU in MIG mode without slices', () => {
    const { offers, problems } = plan([h100({ index: 3 })]);
    expect(offers).toEqual([]);
    expect(problems[0]?.what).toContain('GPU 3, NVIDIA H100 80GB HBM3');
    expect(problems[0]?.hint).toContain('nvidia-smi mig -i 3 -cgi');
  });

  test('leaves out a faulty GPU but not its siblings', () => {
    const { offers, problems } = plan([gpu({ fault: 'it needs a reset' }), gpu({ uuid: 'GPU-b', index: 1 })]);
    expect(offers.flatMap(({ slots }) => slots.map(({ id }) => id))).toEqual(['GPU-b#0']);
    expect(problems).toMatchObject([{ what: 'GPU 0, Tesla T4 (GPU-a)', why: 'it needs a reset' }]);
  });

  test('names similar entries for a GPU that is not in the catalogue', () => {
    const { offers, problems } = plan([gpu({ model: 'NVIDIA T4 Laptop GPU' })]);
    expect(offers).toEqual([]);
    expect(problems[0]?.hint).toContain(
      '[gpu."NVIDIA T4 Laptop GPU"] catalogue = "...": t4 (Nvidia Tesla T4 16GB)',
    );
  });

  test.each(['NVIDIA A40-8Q', 'GRID T4-16C', 'NVIDIA RTXA6000-48Q', 'GRID A100D-1-10C', 'NVIDIA A16-2B'])(
    'proposes no whole card for a share of one: %s',
    (model) => {
      const { offers, problems } = plan([gpu({ model, memoryTotalMiB: 8192 })]);
      expect(offers).toEqual([]);
      expect(problems[0]?.why).toContain('vGPU');
      expect(problems[0]?.hint).not.toContain('catalogue');
    },
  );

  test('prefers the entry that the owner named to a match by name', () => {
    const { offers } = plan([gpu({ model: 'NVIDIA T4 Laptop GPU' })], { catalogue: 'T4' });
    expect(offers).toMatchObject([{ key: 'gpu:NVIDIA T4 Laptop GPU', gpu: T4 }]);
    expect(plan([gpu()], { catalogue: 'nope' }).offers).toEqual([]);
  });

  test('makes two offers of one model in two sizes', () => {
    const model = 'NVIDIA GeForce RTX 4060 Ti';
    const gpus = [gpu({ model, memoryTotalMiB: 8188 }), gpu({ uuid: 'GPU-b', model, memoryTotalMiB: 16380 })];
    expect(plan(gpus).offers.map(({ gpu, key }) => [key, gpu])).toEqual([
      ['gpu:NVIDIA GeForce RTX 4060 Ti (4060ti)', SMALL],
      ['gpu:NVIDIA GeForce RTX 4060 Ti (4060ti-16)', LARGE],
    ]);
  });

  test('makes one offer of the CPU slots', () => {
    expect(plan([], {}, 2).offers).toEqual([
      {
        key: 'cpu',
        kind: 'cpu',
        name: 'CPU',
        gpu: null,
        cudaCores: 0,
        wholeGpu: false,
        askPrice: 0.01,
        slots: [
          { id: 'cpu#0', gpu: null },
          { id: 'cpu#1', gpu: null },
        ],
      },
    ]);
    expect(plan([], {}, 0)).toEqual({ offers: [], problems: [], notes: [] });
  });

  test('offers nothing without an ask price', () => {
    const settings = {
      cpuSlots: 1,
      askPrice: undefined,
      gpu: () => ({ askPrice: undefined, catalogue: undefined, slots: 1 }),
    };
    const { offers, problems } = planOffers([gpu()], namedCatalogue(CATALOGUE), settings);
    expect(offers).toEqual([]);
    expect(problems.map(({ what }) => what)).toEqual(['GPU 0, Tesla T4 (GPU-a)', 'CPU jobs']);
  });
});

test.each([
  ['1g.10gb', 1 / 7],
  ['1g.10gb+me', 1 / 7],
  ['3g.40gb', 3 / 7],
  ['7g.80gb', 1],
  ['1c.3g.40gb', 1 / 7],
  ['9g.80gb', 1],
  ['whole', 0],
])('the profile %s has %d of its GPU', (profile, share) => {
  expect(sliceShare(profile)).toBeCloseTo(share);
});
