import { describe, expect, test } from 'vitest';
import { cordonsFromProbe, nextPollMs, withSlices } from '../../../src/domain/gpu-cordon.ts';
import { aGpu } from '../../support/domain.ts';

const SLICES = [
  { uuid: 'MIG-1', profile: '1g.10gb' },
  { uuid: 'MIG-2', profile: '1g.10gb' },
];
const PARENTS = new Map([
  ['MIG-1', 'GPU-1'],
  ['MIG-2', 'GPU-1'],
]);
const SEEN = { parents: PARENTS, addresses: new Map([['GPU-1', '00000000:01:00.0']]) };
const cordoned = (offered: readonly string[], gpus: readonly Partial<ReturnType<typeof aGpu>>[]) => [
  ...cordonsFromProbe(new Set(offered), { gpus: gpus.map(aGpu), notices: [] }, SEEN).keys(),
];

describe('a poll cordons', () => {
  test.each([
    ['no healthy GPU', ['GPU-2'], [{ uuid: 'GPU-2' }], []],
    ['a faulty GPU', ['GPU-2'], [{ uuid: 'GPU-2', fault: 'lost' }], ['GPU-2']],
    [
      'no faulty GPU that is not offered',
      ['GPU-2'],
      [{ uuid: 'GPU-2' }, { uuid: 'GPU-3', fault: 'lost' }],
      [],
    ],
    ['a missing GPU', ['GPU-2', 'GPU-3'], [{ uuid: 'GPU-3' }], ['GPU-2']],
    [
      'a faulty GPU with slices once',
      ['MIG-1', 'MIG-2'],
      [{ uuid: 'GPU-1', slices: SLICES, fault: 'lost' }],
      ['GPU-1'],
    ],
    ['a GPU that is missing with its slices once', ['MIG-1', 'MIG-2'], [], ['GPU-1']],
    ['a missing slice', ['MIG-1', 'MIG-2'], [{ uuid: 'GPU-1', slices: SLICES.slice(1) }], ['MIG-1']],
  ])('%s', (_, offered, gpus, uuids) => {
    expect(cordoned(offered, gpus)).toEqual(uuids);
  });
});

test('a cordoned GPU includes its slices, a cordoned slice only itself', () => {
  expect(withSlices(['GPU-1', 'GPU-9'], PARENTS)).toEqual(new Set(['GPU-1', 'GPU-9', 'MIG-1', 'MIG-2']));
  expect(withSlices(['MIG-2'], PARENTS)).toEqual(new Set(['MIG-2']));
});

test('polls follow an anomaly after 5 s and slow down to one a minute', () => {
  expect([0, 1, 2, 3, 4, 99].map(nextPollMs)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});
