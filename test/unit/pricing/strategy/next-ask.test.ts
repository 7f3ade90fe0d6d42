import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finish } from '../../../../src/lib/slices.ts';
import { limitAsk, nextAsk } from '../../../../src/pricing/strategy/next-ask.ts';
import { STRATEGIES } from '../../../../src/pricing/strategy/strategies.ts';
import {
  type Answer,
  atOnce,
  type Memory,
  type Situation,
  type Strategy,
} from '../../../../src/pricing/strategy/strategy.ts';

const SITUATION: Situation = {
  now: 0,
  ask: 0.05,
  start: 0.05,
  floor: undefined,
  min: undefined,
  max: undefined,
  lastChangeAt: undefined,
  idleMs: [0],
  others: [],
  ended: [],
  observed: () => undefined,
  paidShare: 0.9,
  costPerMinute: undefined,
};

const askedBy = (strategy: Strategy, situation: Situation, memory: Memory) =>
  finish(nextAsk(strategy, situation, memory));

describe('the next ask', () => {
  test.each([
    ['stays without limits', 0.05, {}, { ask: 0.05, limitedBy: undefined }],
    ['stays at the floor', 0.05, { floor: 0.05 }, { ask: 0.05, limitedBy: undefined }],
    ['rises to the floor', 0.05, { floor: 0.06 }, { ask: 0.06, limitedBy: 'floor' }],
    ['rises to min', 0.05, { min: 0.06 }, { ask: 0.06, limitedBy: 'min' }],
    ['rises to min above the floor', 0.05, { floor: 0.055, min: 0.06 }, { ask: 0.06, limitedBy: 'min' }],
    ['falls to max', 0.05, { max: 0.04 }, { ask: 0.04, limitedBy: 'max' }],
    ['does not rise above max for the floor', 0.05, { floor: 0.2, max: 0.1 }, { ask: 0.1, limitedBy: 'max' }],
    ['is rounded up to the floor', 0.001, { floor: 0.001_000_2 }, { ask: 0.001_001, limitedBy: 'floor' }],
  ] as const)('%s', (_what, ask, limits, limited) => {
    expect(limitAsk(ask, { floor: undefined, min: undefined, max: undefined, ...limits })).toEqual(limited);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 0, -1])('stays where a strategy answers %d', (ask) => {
    const next = askedBy(answering({ choice: { ask, reason: 'configured' }, memory: {} }), SITUATION, {});
    expect(next).toMatchObject({ ask: 0.05, reason: undefined, limitedBy: undefined });
  });

  test('is a whole number of micro-dollars, unless it is the configured one', () => {
    const third = 1 / 3;
    const strategy = answering({ choice: { ask: third, reason: 'configured' }, memory: {} });
    expect(askedBy(strategy, SITUATION, {}).ask).toBe(0.333_333);
    expect(askedBy(strategy, { ...SITUATION, start: third }, {}).ask).toBe(third);
  });

  test('hands on memory and figures', () => {
    const strategy = answering({ choice: undefined, memory: { step: 2 }, terms: { hours: 3 } });
    expect(askedBy(strategy, SITUATION, {})).toMatchObject({ memory: { step: 2 }, terms: { hours: 3 } });
  });

  test('is within the limits, whatever the strategy answers', () => {
    const price = fc.double({ min: 1e-6, max: 10, noNaN: true });
    const limits = fc.record({
      floor: fc.option(price, { nil: undefined }),
      min: fc.option(price, { nil: undefined }),
      max: fc.option(price, { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.option(fc.double(), { nil: undefined }),
        price,
        limits,
        (answer, ask, { floor, max, min }) => {
          fc.pre(min === undefined || max === undefined || min <= max);
          const choice = answer === undefined ? undefined : ({ ask: answer, reason: 'configured' } as const);
          const next = askedBy(answering({ choice, memory: {} }), { ...SITUATION, ask, floor, min, max }, {});
          expect(next.ask).toBeGreaterThan(0);
          expect(next.ask).toBeGreaterThanOrEqual(Math.min(floor ?? 0, max ?? Number.POSITIVE_INFINITY));
          expect(next.ask).toBeGreaterThanOrEqual(min ?? 0);
          expect(next.ask).toBeLessThanOrEqual(max ?? Number.POSITIVE_INFINITY);
          expect(next.reason === undefined).toBe(next.ask === ask);
        },
      ),
    );
  });
});

describe('a fixed ask', () => {
  const fixed = STRATEGIES.fixed();

  test('stays', () => {
    expect(askedBy(fixed, SITUATION, {})).toMatchObject({ ask: 0.05, reason: undefined });
  });

  test('rises to the floor, and comes back when the floor falls', () => {
    expect(askedBy(fixed, { ...SITUATION, floor: 0.08 }, {})).toMatchObject({
      ask: 0.08,
      limitedBy: 'floor',
    });
    const after = askedBy(fixed, { ...SITUATION, ask: 0.08, floor: 0.03 }, {});
    expect(after).toMatchObject({ ask: 0.05, reason: 'configured' });
  });
});

function answering(answer: Answer): Strategy {
  return { needs: [], next: atOnce(() => answer) };
}
