import { describe, expect, test } from 'vitest';
import { cordonsFromProbe, nextPollMs, withSlices } from '../../../src/domain/gpu-cordon.ts';
import { aGpu } from '../../support/domain.ts';

const SLICES = [
  { uuid: 'MIG-1', profile: '1g.10gb' },
  { uuid: 'MIG-2', profile: '1g.10gb' },
];
const FAMILY = new Map([
  ['MIG-1', 'GPU-1'],
  ['MIG-2', 'GPU-1'],
]);
const seen = (offered: readonly string[], gpus: readonly Partial<ReturnType<typeof aGpu>>[]) =>
  [...cordonsFromProbe(new Set(offered), gpus.map(aGpu), FAMILY)].map(([uuid, { why }]) => [uuid, why]);

describe('what a look says against the GPUs on offer', () => {
  test.each([
    ['all well', ['GPU-2'], [{ uuid: 'GPU-2' }], []],
    ['sick', ['GPU-2'], [{ uuid: 'GPU-2', fault: 'it is sick' }], [['GPU-2', 'it is sick']]],
    ['sick and not on offer', ['GPU-2'], [{ uuid: 'GPU-2' }, { uuid: 'GPU-3', fault: 'it is sick' }], []],
    ['gone', ['GPU-2', 'GPU-3'], [{ uuid: 'GPU-3' }], [['GPU-2', 'it is not there any more']]],
    [
      'sick, with slices: named once',
      ['MIG-1', 'MIG-2'],
      [{ uuid: 'GPU-1', slices: SLICES, fault: 'it is sick' }],
      [['GPU-1', 'it is sick']],
    ],
    ['gone with its slices: named once', ['MIG-1', 'MIG-2'], [], [['GPU-1', 'it is not there any more']]],
    [
      'one slice is gone',
      ['MIG-1', 'MIG-2'],
      [{ uuid: 'GPU-1', slices: SLICES.slice(1) }],
      [['MIG-1', 'it is not there any more']],
    ],
  ])('%s', (_, offered, gpus, troubles) => {
    expect(seen(offered, gpus)).toEqual(troubles);
  });
});

test('a GPU in trouble takes its slices along, a slice nobody', () => {
  expect(withSlices(['GPU-1', 'GPU-9'], FAMILY)).toEqual(new Set(['GPU-1', 'GPU-9', 'MIG-1', 'MIG-2']));
  expect(withSlices(['MIG-2'], FAMILY)).toEqual(new Set(['MIG-2']));
});

test('looks come soon after something smelled, and then less and less often', () => {
  expect([0, 1, 2, 3, 4, 99].map(nextPollMs)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});
