import { expect, test } from 'vitest';
import { parseSlices } from '../../../src/gpu/mig.ts';

test('reads slices below their GPU in the formats of all drivers', () => {
  const list = [
    'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-a)',
    '  MIG 3g.40gb     Device  0: (UUID: MIG-1)',
    '  MIG 1g.10gb+me  Device  1: (UUID: MIG-2)',
    '  MIG 1c.2g.20gb  Device  2: (UUID: MIG-3)',
    'GPU 1: NVIDIA A100 (PG509) (UUID: GPU-b)\r',
    '  MIG 1g.5gb Device 0: (UUID: MIG-GPU-b/7/0)\r',
    'GPU 2: Tesla T4 (UUID: GPU-c)',
    'something else',
  ].join('\n');
  expect([...parseSlices(list)]).toEqual([
    [
      'GPU-a',
      [
        { uuid: 'MIG-1', profile: '3g.40gb' },
        { uuid: 'MIG-2', profile: '1g.10gb+me' },
        { uuid: 'MIG-3', profile: '1c.2g.20gb' },
      ],
    ],
    ['GPU-b', [{ uuid: 'MIG-GPU-b/7/0', profile: '1g.5gb' }]],
    ['GPU-c', []],
  ]);
});

test('ignores a slice without a GPU above it', () => {
  expect(parseSlices('  MIG 3g.40gb     Device  0: (UUID: MIG-1)\n').size).toBe(0);
});
