import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CatalogueGpu } from '../../../src/domain/gpu.ts';
import { findNamed as findIn, type LocalGpu, matchGpu as matchIn } from '../../../src/domain/match-gpu.ts';
import { namedCatalogue, nameInSteps } from '../../../src/domain/named-catalogue.ts';
import { DEFAULT_CATALOGUE } from '../../../src/embedded/broker/catalogue-data.ts';

const matchGpu = (gpu: LocalGpu, catalogue: readonly CatalogueGpu[]) =>
  matchIn(gpu, namedCatalogue(catalogue));
const findNamed = (wanted: string, catalogue: readonly CatalogueGpu[]) =>
  findIn(wanted, namedCatalogue(catalogue));

const entry = (name: string, codename = '', uuid = name): CatalogueGpu => ({
  uuid,
  name,
  codename,
  cudaCores: 1,
});

function codenameOf(
  model: string,
  memoryTotalMiB: number | undefined,
  catalogue = DEFAULT_CATALOGUE,
): string {
  const match = matchGpu({ model, memoryTotalMiB }, catalogue);
  return match.kind === 'match' ? match.entry.codename : match.kind;
}

describe('matchGpu', () => {
  test.each([
    ['NVIDIA GeForce GTX 1080 Ti', 11264, 'gtx1080ti'],
    ['GeForce GTX 1080 Ti', 11178, 'gtx1080ti'],
    ['NVIDIA GeForce GTX 1080', 8192, 'gtx1080'],
    ['NVIDIA GeForce GTX 1060 6GB', 6144, 'gtx1060'],
    ['NVIDIA GeForce GTX 1060 3GB', 3072, 'gtx1060-3gb'],
    ['NVIDIA GeForce RTX 3080', 10240, 'rtx3080'],
    ['NVIDIA GeForce RTX 3080', 12288, 'rtx3080-12gb'],
    ['NVIDIA GeForce RTX 3080 Ti', 12288, 'rtx3080ti'],
    ['NVIDIA GeForce RTX 4060 Ti', 8188, 'rtx4060ti'],
    ['NVIDIA GeForce RTX 4060 Ti', 16380, 'rtx4060ti-16gb'],
    ['NVIDIA GeForce RTX 4070 SUPER', 12282, 'rtx4070super'],
    ['NVIDIA GeForce RTX 4070 Ti', 12282, 'rtx4070ti'],
    ['NVIDIA GeForce RTX 4070 Ti SUPER', 16376, 'rtx4070tisuper'],
    ['NVIDIA GeForce RTX 4080', 16376, 'rtx4080'],
    ['NVIDIA GeForce RTX 4080 SUPER', 16376, 'rtx4080super'],
    ['NVIDIA GeForce RTX 4090', 24564, 'rtx4090'],
    ['NVIDIA TITAN Xp', 12288, 'titanxp'],
    ['TITAN Xp COLLECTORS EDITION', 12288, 'none'],
    ['NVIDIA TITAN X (Pascal)', 12288, 'none'],
    ['NVIDIA TITAN V', 12066, 'titanv'],
    ['NVIDIA TITAN RTX', 24576, 'titanrtx'],
    ['Tesla T4', 15360, 't4'],
    ['NVIDIA T4', 15109, 't4'],
    ['Tesla K80', 11441, 'k80'],
    ['Tesla P100-PCIE-16GB', 16280, 'p100'],
    ['Tesla V100-SXM2-16GB', 16160, 'v100'],
    ['Tesla V100-SXM2-32GB', 32510, 'v100-32gb'],
    ['Tesla V100-PCIE-32GB', 32768, 'v100-32gb'],
    ['Quadro RTX 6000', 24576, 'quadrortx6000'],
    ['NVIDIA RTX 6000 Ada Generation', 49140, 'rtx6000ada'],
    ['NVIDIA RTX A6000', 46068, 'rtxa6000'],
    ['NVIDIA A100-SXM4-40GB', 40960, 'a100'],
    ['NVIDIA A100-PCIE-40GB', 40536, 'a100'],
    ['NVIDIA A100-SXM4-80GB', 81920, 'a100-80gb'],
    ['NVIDIA A100 80GB PCIe', 81920, 'a100-80gb'],
    ['NVIDIA H100 80GB HBM3', 81559, 'h100'],
    ['NVIDIA H100 PCIe', 81559, 'h100pcie'],
    ['NVIDIA H100 NVL', 95830, 'h100nvl'],
    ['NVIDIA H200', 143771, 'h200'],
    ['NVIDIA L4', 23034, 'l4'],
    ['NVIDIA L40', 46068, 'l40'],
    ['NVIDIA L40S', 46068, 'l40s'],
    ['NVIDIA B200', 183359, 'b200'],
    ['NVIDIA GeForce RTX 4090 Laptop GPU', 16376, 'none'],
    ['NVIDIA GeForce RTX 4090 D', 24564, 'none'],
    ['NVIDIA GeForce GTX 1080 with Max-Q Design', 8192, 'none'],
    ['NVIDIA A40-48Q', 49152, 'none'],
    ['GRID A100-10C', 10240, 'none'],
    ['NVIDIA L40S-16Q', 16384, 'none'],
    ['GRID T4-4C', 4096, 'none'],
    ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 97887, 'none'],
    ['NVIDIA Graphics Device', 8192, 'none'],
    ['', undefined, 'none'],
  ])('%s with %s MiB is %s', (model, memory, codename) => {
    expect(codenameOf(model, memory)).toBe(codename);
  });

  test.each([
    ['NVIDIA A100-SXM4-40GB', 'a100'],
    ['NVIDIA GeForce RTX 4090', 'rtx4090'],
    ['NVIDIA GeForce RTX 3080', 'ambiguous'],
  ])('without its memory, %s goes by its name alone: %s', (model, codename) => {
    expect(codenameOf(model, undefined)).toBe(codename);
  });

  test('two equal matches are ambiguous candidates', () => {
    const twins = [
      entry('Nvidia Tesla T4 16GB', 'a'),
      entry('NVIDIA T4 16 GB', 'b'),
      entry('Nvidia T40 24GB'),
    ];
    expect(matchGpu({ model: 'Tesla T4', memoryTotalMiB: 15360 }, twins)).toEqual({
      kind: 'ambiguous',
      candidates: twins.slice(0, 2),
    });
  });

  test('similar entries are candidates if none matches', () => {
    const match = matchGpu(
      { model: 'NVIDIA GeForce RTX 4090 Laptop GPU', memoryTotalMiB: 16376 },
      DEFAULT_CATALOGUE,
    );
    expect(match.kind === 'match' ? [] : match.candidates.map(({ codename }) => codename)).toEqual([
      'rtx4090',
    ]);
  });

  test('an entry of another size does not match but is a candidate', () => {
    const small = entry('Nvidia A100 40GB', 'a100');
    expect(matchGpu({ model: 'NVIDIA A100-SXM4-80GB', memoryTotalMiB: 81920 }, [small])).toEqual({
      kind: 'none',
      candidates: [small],
    });
  });

  test('an entry of another form factor does not match', () => {
    const pcie = entry('Nvidia H100 PCIe 80GB', 'pcie');
    expect(codenameOf('NVIDIA H100 80GB HBM3', 81559, [pcie])).toBe('none');
    expect(codenameOf('NVIDIA H100 PCIe', 81559, [entry('Nvidia H100 80GB', 'any')])).toBe('any');
  });

  test('an entry without a size matches all sizes but ranks after one with the size', () => {
    const open = entry('Nvidia GeForce RTX 3060', 'open');
    const exact = entry('Nvidia GeForce RTX 3060 12GB', 'exact');
    expect(codenameOf('NVIDIA GeForce RTX 3060', 12288, [open])).toBe('open');
    expect(codenameOf('NVIDIA GeForce RTX 3060', 12288, [open, exact])).toBe('exact');
    expect(codenameOf('NVIDIA GeForce RTX 3060', 8192, [open, exact])).toBe('open');
  });

  test('a size in the name may include other memory', () => {
    expect(codenameOf('NVIDIA GH200 480GB', 97871, [entry('Nvidia GH200 480GB', 'gh200')])).toBe('gh200');
  });

  test('every entry matches its own name and memory', () => {
    for (const { codename, name } of DEFAULT_CATALOGUE) {
      const sizeGb = Number(/(\d+)GB$/.exec(name)?.[1]);
      expect([name, codenameOf(name, sizeGb * 1024 * 0.98)]).toEqual([name, codename]);
    }
  });

  test('the order of the catalogue makes no difference and no name throws', () => {
    const names = fc.constantFrom(...DEFAULT_CATALOGUE.map(({ name }) => name));
    const model = fc.oneof(names, fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(
        model,
        fc.integer({ min: 1, max: 200_000 }),
        fc.shuffledSubarray([...DEFAULT_CATALOGUE]),
        (a, b, c) => {
          const gpu = { model: a, memoryTotalMiB: b };
          const [one, other] = [matchGpu(gpu, c), matchGpu(gpu, c.toReversed())];
          expect(one.kind).toBe(other.kind);
          expect(one.kind === 'match' ? other : one).toEqual(one);
        },
      ),
    );
  });
});

describe('findNamed', () => {
  const twins = [entry('Nvidia T4', 't4', 'u1'), entry('Nvidia T4', 't4b', 'u2')];
  test.each([
    ['u1', 'u1'],
    ['T4', 'u1'],
    [' t4B ', 'u2'],
    ['nvidia  t4', 'ambiguous'],
    ['t40', 'none'],
    ['', 'none'],
  ])('%j is %s', (wanted, uuid) => {
    const match = findNamed(wanted, twins);
    expect(match.kind === 'match' ? match.entry.uuid : match.kind).toBe(uuid);
  });
});

test('names are parsed one in a step, and a few candidates of very many are named', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => entry('Nvidia Tesla T4 16GB', 't4', `gpu-${n}`));
  const naming = nameInSteps(many);
  let steps = 0;
  let step = naming.next();
  for (; step.done !== true; step = naming.next()) steps += 1;
  expect(steps).toBe(many.length);
  expect(step.value).toEqual(namedCatalogue(many));
  for (const match of [matchGpu({ model: 'Tesla T4', memoryTotalMiB: 15360 }, many), findNamed('t4', many)])
    expect(match).toMatchObject({ kind: 'ambiguous', candidates: { length: 5 } });
});
