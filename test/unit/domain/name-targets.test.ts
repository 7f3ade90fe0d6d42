import { describe, expect, test } from 'vitest';
import { nameTargets } from '../../../src/domain/name-targets.ts';

const GPUS = [
  {
    uuid: 'GPU-11111111-aaaa-4bbb-8ccc-111111111111',
    index: 0,
    model: 'NVIDIA GeForce RTX 3090',
    minor: 1,
    slices: [],
  },
  {
    uuid: 'GPU-22222222-aaaa-4bbb-8ccc-222222222222',
    index: 1,
    model: 'NVIDIA GeForce RTX 3090',
    minor: 0,
    slices: [],
  },
  {
    uuid: 'GPU-33333333-aaaa-4bbb-8ccc-333333333333',
    index: 2,
    model: 'NVIDIA A100',
    slices: [{ uuid: 'MIG-44444444-aaaa-4bbb-8ccc-444444444444' }],
  },
];
const [A, B, C] = GPUS.map(({ uuid }) => uuid);
const SLICE = 'MIG-44444444-aaaa-4bbb-8ccc-444444444444';
const ABSENT = 'GPU-99999999-aaaa-4bbb-8ccc-999999999999';
const named = (names: readonly string[], minors: readonly number[] = [], trusting = false) =>
  nameTargets({ names, minors }, GPUS, trusting);

describe('targets are named', () => {
  test.each([
    ['nothing: everything', [], [], 'all'],
    ['all', ['all'], [], 'all'],
    ['CPU jobs', ['CPU'], [], ['cpu']],
    ['an index', ['1'], [], [B]],
    ['a uuid in any case', [A?.toUpperCase() ?? ''], [], [A]],
    ['its beginning', ['GPU-2222'], [], [B]],
    ['its beginning without GPU-', ['3333'], [], [C, SLICE]],
    ['a model, of which there may be several', ['rtx 3090'], [], [A, B]],
    ['a model of three digits', ['100'], [], [C, SLICE]],
    ['a GPU with its slices', ['2'], [], [C, SLICE]],
    ['a slice', [SLICE], [], [SLICE]],
    ['minor numbers', [], [0, 1], [B, A]],
    ['both', ['cpu'], [0], ['cpu', B]],
  ])('by %s', (_, names, minors, targets) => {
    expect(named(names, minors)).toEqual({ kind: 'targets', targets });
  });

  test.each([
    ['an index that is not there', ['7'], [], ['7']],
    ['too short a beginning', ['GPU-22'], [], ['GPU-22']],
    ['another model', ['H100', '0'], [], ['H100']],
    ['a uuid that is not here', [ABSENT], [], [ABSENT]],
    ['a minor number that is not here', [], [9], ['minor number 9']],
    ['nothing in quotes', [''], [], ['']],
  ])('wrongly by %s', (_, names, minors, unknown) => {
    expect(named(names, minors)).toEqual({ kind: 'unknown', unknown });
  });

  test('by a whole uuid of a GPU that is not here now, where that is asked for', () => {
    expect(named([ABSENT], [], true)).toEqual({ kind: 'targets', targets: [ABSENT] });
    expect(named(['GPU-9999'], [], true).kind).toBe('unknown');
  });
});
