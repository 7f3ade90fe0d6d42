import { describe, expect, test } from 'vitest';
import { diffText } from '../../../src/cli/setup/diff.ts';
import { assumedFloor, othersAsks, proposeAsk } from '../../../src/cli/setup/proposal.ts';

const A10 = 'Nvidia A10 24GB';
const offer = (askPrice: number, gpuName: string | undefined = A10, instance?: string) => ({
  askPrice,
  gpuName,
  instance,
});

describe('what others ask', () => {
  test.each([
    ['the same GPU', [offer(3), offer(1)], [3, 1]],
    ['other GPUs', [offer(1, 'Nvidia H100 80GB'), { ...offer(1), gpuName: undefined }], []],
    ['this account', [offer(1, A10, 'mine'), offer(2, A10, 'theirs')], [2]],
    ['nothing', [], []],
  ])('counts offers of %s', (_, offers, asks) => {
    expect(othersAsks(offers, A10, new Set(['mine']))).toEqual(asks);
  });

  test('for CPU jobs is what offers without a GPU ask', () => {
    expect(othersAsks([{ ...offer(0.01), gpuName: undefined }, offer(1)], undefined, new Set())).toEqual([
      0.01,
    ]);
  });
});

describe('the proposed ask', () => {
  // 0.00216 a minute.
  const floor = assumedFloor(350, 0.3);

  test.each([
    ['the median of what others ask', [0.09, 0.01, 0.05], undefined, 0.05],
    ['the median above the floor', [0.07], floor, 0.07],
    ['the floor where others ask less', [0.001], floor, 0.0022],
    ['the floor where others ask what the power alone costs', [0.00195], floor, 0.0022],
    ['twice the floor where nobody else is there', [], floor, 0.0044],
    ['rounded up to two digits', [0.0333], undefined, 0.034],
    ['twice the floor where the broker does not say what others ask', undefined, floor, 0.0044],
    ['nothing where nobody else is there, and nothing is known of its power', [], undefined, undefined],
    ['nothing where nothing is known', undefined, undefined, undefined],
    ['nothing where power is free and nobody else is there', [], assumedFloor(350, 0), undefined],
    ['nothing where others ask nothing', [0], undefined, undefined],
  ])('is %s', (_, asks, known, ask) => {
    expect(proposeAsk({ asks, floor: known })?.ask).toBe(ask);
  });

  test('does not call others absent that are unknown', () => {
    const [unknown, absent] = [undefined, []].map((asks) => proposeAsk({ asks, floor })?.why);
    expect(unknown).not.toBe(absent);
  });

  test('has a floor of watts / 0.9 / 1000 * price / 60, of which nine in ten minutes are paid', () => {
    expect(floor.power).toBeCloseTo(0.00175 / 0.9, 10);
    expect(floor.perMinute).toBeCloseTo(0.00175 / 0.9 / 0.9, 10);
  });
});

describe('what changes in a file', () => {
  test.each([
    ['a new line', 'a\nb\nc\n', 'a\nb\nx\nc\n', '  a\n  b\n+ x\n  c'],
    ['another value', 'a\nb = 1\nc\n', 'a\nb = 2\nc\n', '  a\n- b = 1\n+ b = 2\n  c'],
    [
      'two places',
      '1\n2\n3\n4\n5\n6\n7\n',
      'x\n1\n2\n3\n4\n5\n6\n7\ny\n',
      '+ x\n  1\n  2\n  ...\n  6\n  7\n+ y',
    ],
    ['nothing', 'a\n', 'a\n', ''],
  ])('is %s', (_, before, after, diff) => {
    expect(diffText(before, after)).toBe(diff);
  });
});
