import { describe, expect, test } from 'vitest';
import { DECAY } from '../../../../src/pricing/strategy/decay.ts';
import type { EndedJob } from '../../../../src/pricing/strategy/strategy.ts';
import { answerOf, aSituation, DAY, HOUR, MINUTE, observed, ownJobs, seenRun } from './situation.ts';

const sold: EndedJob = { from: 0, until: MINUTE, ask: 0.04, isPaid: true };
/** Left open at a bid within a tenth below the ask. */
const left = () => observed({ seen: [seenRun({ bid: 0.046 })] });
const after = (spells: number, discounts = spells) => ({
  reference: 0.05,
  busyShare: 0.5,
  discounts,
  spells,
});

describe('decay', () => {
  test('asks a tenth less after four idle hours, while runs are left open below the ask', () => {
    const { choice, memory } = answerOf(
      DECAY,
      // Enough jobs were sold that a lower reference does not pay.
      aSituation({
        idleMs: [4 * HOUR],
        observed: () => ({ ...left(), own: ownJobs(400, { from: 2.5 * DAY, bid: 0.051 }) }),
      }),
      {},
    );
    expect(choice?.ask).toBeCloseTo(0.045, 10);
    expect(choice?.reason).toBe('idle');
    expect(memory).toMatchObject({ discounts: 1, spells: 1, reference: 0.05 });
  });

  test('asks no less where nobody bids less', () => {
    const { choice } = answerOf(DECAY, aSituation({ idleMs: [4 * HOUR] }), {});
    expect(choice?.ask).toBe(0.05);
  });

  test('counts an idle spell once', () => {
    const situation = aSituation({ ask: 0.045, idleMs: [5 * HOUR] });
    expect(answerOf(DECAY, situation, after(1)).choice?.ask).toBeCloseTo(0.045, 10);
    expect(answerOf(DECAY, situation, after(1)).memory['discounts']).toBe(1);
    const seen = [seenRun({ bid: 0.042 })];
    const later = aSituation({ ask: 0.045, idleMs: [9 * HOUR], observed: () => observed({ seen }) });
    expect(answerOf(DECAY, later, after(1)).memory).toMatchObject({ discounts: 2, spells: 2 });
    expect(answerOf(DECAY, later, after(2)).memory).toMatchObject({ discounts: 2, spells: 2 });
  });

  test('goes back to its reference after a job, whatever that was sold at', () => {
    const { choice, memory } = answerOf(DECAY, aSituation({ ask: 0.0328, ended: [sold] }), after(4));
    expect(choice).toEqual({ ask: 0.05, reason: 'sold' });
    expect(memory).toMatchObject({ discounts: 0, spells: 0 });
  });

  test('lowers its reference where the jobs that were left are worth much more', () => {
    const { choice, memory } = answerOf(
      DECAY,
      aSituation({ observed: () => ({ ...left(), own: ownJobs(10, { bid: 0.051 }) }) }),
      {},
    );
    expect(choice?.ask).toBeCloseTo(0.049, 10);
    expect(choice?.reason).toBe('demand-below');
    expect(memory['reference']).toBeCloseTo(0.049, 10);
  });

  test('raises its reference where buyers of own jobs bid much more', () => {
    const { choice } = answerOf(DECAY, aSituation({ observed: () => observed({ own: ownJobs(20) }) }), {});
    expect(choice?.ask).toBeCloseTo(0.051, 10);
    expect(choice?.reason).toBe('demand-above');
  });

  test('raises its reference while busy, as jobs above take the place of those it loses', () => {
    const own = ownJobs(20, { bid: 0.05 });
    const seen = [seenRun({ bid: 0.06 })];
    const busy = { idleMs: [0], observed: () => observed({ own, seen }) };
    const memory = { ...after(0), busyShare: 0.95 };
    expect(answerOf(DECAY, aSituation(busy), memory).choice?.reason).toBe('demand-above');
    expect(answerOf(DECAY, aSituation(busy), after(0)).choice?.ask).toBe(0.05);
    const alone = { ...busy, observed: () => observed({ own }) };
    expect(answerOf(DECAY, aSituation(alone), memory).choice?.ask).toBe(0.05);
  });

  test('brings its reference back to the configured ask while idle, where demand says nothing', () => {
    const memory = { ...after(0), busyShare: 0.2, reference: 0.06 };
    const { choice } = answerOf(DECAY, aSituation({ ask: 0.06 }), memory);
    expect(choice?.reason).toBe('undecided');
    expect(choice?.ask).toBeCloseTo(0.05982, 10);
    expect(answerOf(DECAY, aSituation(), { ...memory, reference: 0.0501 }).choice?.ask).toBe(0.05);
  });

  test('lowers its reference only as far as there is time for more jobs', () => {
    // Twenty hours of each day are sold.
    const own = ownJobs(24, { bid: 0.051 }).map((job) => ({ ...job, until: job.from + (20 / 12) * HOUR }));
    const market = () => ({ ...left(), own });
    expect(answerOf(DECAY, aSituation({ observed: market }), {}).memory['reference']).toBe(0.05);
  });

  test.each([
    ['the floor', { floor: 0.0495 }, 0.0495],
    ['the least that the owner allows', { min: 0.0498 }, 0.0498],
  ])('keeps its reference at or above %s', (_, limit, reference) => {
    const market = () => ({ ...left(), own: ownJobs(10, { bid: 0.051 }) });
    expect(
      answerOf(DECAY, aSituation({ ...limit, observed: market, paidShare: 0.01 }), {}).memory['reference'],
    ).toBe(reference);
  });

  test('leaves the ask as it is while too little is known', () => {
    const memory = after(2);
    const answer = answerOf(DECAY, aSituation({ idleMs: [9 * HOUR], observed: () => undefined }), memory);
    expect(answer).toEqual({ choice: undefined, memory });
  });

  test('minds no run that it cannot take', () => {
    const seen = [seenRun({ bid: 0.046, isUnsuitable: true })];
    expect(
      answerOf(DECAY, aSituation({ idleMs: [4 * HOUR], observed: () => observed({ seen }) }), {}).choice?.ask,
    ).toBe(0.05);
  });
});
