import { describe, expect, test } from 'vitest';
import { ADVICE, APPLY_ADVICE } from '../../../../src/pricing/strategy/advice.ts';
import { advise } from '../../../../src/pricing/strategy/advise.ts';
import { floorMargin } from '../../../../src/pricing/strategy/floor-margin.ts';
import { adviceBy, answerOf, aSituation, DAY, HOUR, observed, ownJobs, seenRun } from './situation.ts';

const COST = { cost: 0.002, floor: 0.002 };

describe('advice', () => {
  test('asks more where buyers pay more', () => {
    const advice = adviceBy(observed({ own: ownJobs(36) }), 0.05, COST);
    expect(advice?.best?.ask).toBeCloseTo(0.05 * 1.12 ** 2, 10);
    expect(advice?.best?.gain).toBeGreaterThan(0);
    // Twelve jobs a day of half an hour.
    expect(advice?.now).toBeCloseTo(12 * 30 * (0.05 - 0.002), 6);
  });

  test('asks less where many jobs were left', () => {
    const seen = [seenRun({ bid: 0.046, firstSeen: 0, jobs: 500 })];
    const advice = adviceBy(observed({ own: ownJobs(36, { bid: 0.05 }), seen }), 0.05, COST);
    expect(advice?.best?.ask).toBeCloseTo(0.05 / 1.12, 10);
  });

  test('advises nothing where the gain is not more than its error', () => {
    // Two good days, and one on which three jobs would be lost.
    const own = ownJobs(36).map((job, index) => ({ ...job, bid: index < 3 ? 0.05 : 0.06 }));
    const advice = adviceBy(observed({ own }), 0.05, COST);
    const [, , higher] = advice?.tried ?? [];
    expect(higher?.gain).toBeGreaterThan(0);
    expect(higher?.error).toBeGreaterThan(higher?.gain ?? 0);
    expect(advice?.best).toBeUndefined();
  });

  test('tries nothing below the floor', () => {
    const advice = adviceBy(observed({ own: ownJobs(36) }), 0.05, { cost: 0.04, floor: 0.046 });
    expect(advice?.tried.every(({ ask }) => ask >= 0.046)).toBe(true);
  });

  test.each([
    ['too few jobs', { own: ownJobs(19) }],
    ['too short a time', { own: ownJobs(36), from: 1.1 * DAY }],
  ])('is silent with %s', (_, more) => {
    expect(adviceBy(observed(more), 0.05, COST)).toBeUndefined();
  });

  test('replays a part of very many runs, and gives the same advice', () => {
    const seen = Array.from({ length: 30_000 }, (_, index) =>
      seenRun({
        run: `r${index}`,
        bid: 0.06,
        jobs: 1,
        firstSeen: index * 8_000,
        lastSeen: index * 8_000 + HOUR,
      }),
    );
    const few = adviceBy(
      observed({ own: ownJobs(36), seen: seen.filter((_, index) => index % 10 === 0) }),
      0.05,
      COST,
    );
    const market = observed({ own: ownJobs(36), seen });
    const many = adviceBy(market, 0.05, COST);
    // Each run is a step of its own, so that none of them keeps the agent from other work.
    expect([...advise(market, 0.05, COST)].length).toBeGreaterThan(seen.length);
    expect(many?.best?.ask).toBe(few?.best?.ask);
    expect(many?.now).toBeCloseTo(few?.now ?? 0, 0);
  });

  test('of the same days is the same', () => {
    const seen = [seenRun({ bid: 0.046 })];
    const market = observed({ own: ownJobs(36), seen });
    expect(adviceBy(market, 0.05, COST)).toEqual(adviceBy(market, 0.05, COST));
  });
});

describe('the strategies by advice', () => {
  const situation = aSituation({ observed: () => observed({ own: ownJobs(36) }) });

  test('apply it', () => {
    const { choice, memory, terms } = answerOf(APPLY_ADVICE, situation, {});
    expect(choice?.reason).toBe('advised');
    expect(choice?.ask).toBeCloseTo(0.06272, 10);
    expect(memory).toEqual({ advisedAt: 3 * DAY });
    expect(terms).toMatchObject({ days: 3, advisedAskDollars: choice?.ask });
  });

  test('or only say it', () => {
    const { choice, terms } = answerOf(ADVICE, situation, {});
    expect(choice).toBeUndefined();
    expect(terms?.['advisedAskDollars']).toBeCloseTo(0.06272, 10);
  });

  test('once a day', () => {
    const memory = { advisedAt: 2 * DAY + HOUR };
    expect(answerOf(APPLY_ADVICE, situation, memory)).toEqual({ choice: undefined, memory });
    expect(answerOf(APPLY_ADVICE, situation, { advisedAt: 2 * DAY }).choice).toBeDefined();
  });

  test('come back by a twentieth where no ask is better, since nobody saw what a lower one would win', () => {
    const above = aSituation({ ask: 0.1, observed: () => observed({ own: ownJobs(36) }) });
    expect(answerOf(APPLY_ADVICE, above, {}).choice).toEqual({ ask: 0.095, reason: 'undecided' });
    expect(answerOf(APPLY_ADVICE, { ...above, start: 0.099 }, {}).choice?.ask).toBe(0.099);
  });

  test('come back from below where that loses nothing', () => {
    // As many jobs at the higher ask, except for those of one day.
    const own = ownJobs(36, { bid: 0.06 }).map((job, index) => ({ ...job, bid: index < 3 ? 0.05 : 0.057 }));
    const below = aSituation({ ask: 0.05, start: 0.07, observed: () => observed({ own }) });
    expect(answerOf(APPLY_ADVICE, below, {}).choice?.ask).toBeCloseTo(0.056, 10);
  });

  test('come back to the owner’s ask from a step below it that was rounded up', () => {
    // A third of the jobs would not have been sold at the higher ask, those of one day.
    const own = ownJobs(36).map((job, index) => ({ ...job, bid: index < 12 ? 0.045 : 0.0501 }));
    const below = aSituation({ ask: 0.044643, start: 0.05, observed: () => observed({ own }) });
    expect(answerOf(APPLY_ADVICE, below, {}).choice).toEqual({ ask: 0.05, reason: 'undecided' });
  });

  test('leave the ask as it is while too little is known', () => {
    const unknown = aSituation({ observed: () => undefined });
    expect(answerOf(APPLY_ADVICE, unknown, {})).toEqual({ choice: undefined, memory: {} });
  });
});

describe('the floor times a margin', () => {
  test('is asked', () => {
    expect(answerOf(floorMargin(1.5), aSituation({ floor: 0.04 }), {}).choice?.ask).toBeCloseTo(0.06, 10);
  });

  test('is not known without the floor', () => {
    expect(answerOf(floorMargin(1.5), aSituation({ floor: undefined }), {}).choice).toBeUndefined();
  });
});
