import { describe, expect, test } from 'vitest';
import { askProblems, askSettings } from '../../../src/config/ask-options.ts';

const GENERAL = { askStrategy: 'fixed', askPrice: 0.1, askMin: 0.05, askMax: 0.2, floorMargin: 1.5 } as const;
const H100 = { model: 'NVIDIA H100', askPrice: 0.5, catalogue: undefined, slots: undefined };

describe('the limits of asks', () => {
  test('are those of the GPU model where its table has some', () => {
    const config = { ...GENERAL, gpus: [{ ...H100, askMin: 0.3, askMax: 0.9 }] };
    const gpu = (name: string) => askSettings(config, { kind: 'gpu', name });
    expect(gpu('NVIDIA H100')).toMatchObject({ min: 0.3, max: 0.9 });
    expect(gpu('NVIDIA H100 MIG 1g.18gb')).toMatchObject({ min: 0.3, max: 0.9 });
    expect(gpu('NVIDIA A40')).toMatchObject({ min: 0.05, max: 0.2, strategy: 'fixed', floorMargin: 1.5 });
    expect(askSettings(config, { kind: 'cpu', name: 'CPU' })).toMatchObject({ min: 0.05, max: 0.2 });
  });

  test.each([
    ['none', {}, 0],
    ['min above max', { askMin: 0.3 }, 1],
    ['a price below min', { askPrice: 0.01 }, 1],
    ['a price above max', { askPrice: 0.3 }, 1],
    ['no price', { askPrice: undefined }, 0],
  ])('have problems: %s', (_what, more, problems) => {
    expect(askProblems({ ...GENERAL, ...more }, [])).toHaveLength(problems);
  });

  test('have problems in the table of a GPU model', () => {
    expect(askProblems(GENERAL, [H100])).toMatchObject([{ where: 'gpu."NVIDIA H100"' }]);
    expect(askProblems(GENERAL, [{ ...H100, askMax: 1 }])).toEqual([]);
  });
});
