import { describe, expect, test } from 'vitest';
import { diffText } from '../../../src/cli/setup/diff.ts';
import { askRange, powerCostPerMinute, proposeAsk } from '../../../src/cli/setup/proposal.ts';

const A10 = 'Nvidia A10 24GB';
const offer = (askPrice: number, gpuName: string | undefined = A10, instance?: string) => ({
  askPrice,
  gpuName,
  instance,
});

describe('what others ask', () => {
  test.each([
    ['one', [offer(0.5)], { count: 1, min: 0.5, median: 0.5, max: 0.5 }],
    ['an odd number', [offer(3), offer(1), offer(2)], { count: 3, min: 1, median: 2, max: 3 }],
    ['an even number', [offer(4), offer(1), offer(2), offer(3)], { count: 4, min: 1, median: 2.5, max: 4 }],
    ['other GPUs', [offer(1, 'Nvidia H100 80GB'), { ...offer(1), gpuName: undefined }], undefined],
    [
      'this account',
      [offer(1, A10, 'mine'), offer(2, A10, 'theirs')],
      { count: 1, min: 2, median: 2, max: 2 },
    ],
    ['nothing', [], undefined],
  ])('by %s', (_, offers, range) => {
    expect(askRange(offers, A10, new Set(['mine']))).toEqual(range);
  });

  test('for CPU jobs is what offers without a GPU ask', () => {
    expect(askRange([{ ...offer(0.01), gpuName: undefined }, offer(1)], undefined, new Set())?.median).toBe(
      0.01,
    );
  });
});

describe('the proposed ask', () => {
  const market = (median: number) => ({ count: 3, min: median / 2, median, max: median * 2 });

  test.each([
    ['the median, as others ask', market(0.05), undefined, 0.05],
    ['the median above the power', market(0.07), 0.002, 0.07],
    ['above the power where others ask less', market(0.001), 0.002, 0.0025],
    ['twice the power where nobody else is there', undefined, 0.00175, 0.0035],
    ['rounded up to two digits', market(0.0333), undefined, 0.034],
    ['nothing where nothing is known', undefined, undefined, undefined],
    ['nothing where power is free and nobody else is there', undefined, 0, undefined],
    ['nothing where others ask nothing', market(0), undefined, undefined],
  ])('is %s', (_, range, powerCost, ask) => {
    expect(proposeAsk({ market: range, powerCost })?.ask).toBe(ask);
  });

  test('counts power as watts / 1000 * price / 60', () => {
    expect(powerCostPerMinute(350, 0.3)).toBeCloseTo(0.00175, 10);
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
