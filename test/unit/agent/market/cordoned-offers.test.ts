import { expect, test } from 'vitest';
import { CordonedOffers } from '../../../../src/agent/market/cordoned-offers.ts';

/** An offer, with what was done to it. */
function anOffer() {
  const done: string[] = [];
  return {
    done,
    isCordoned: false,
    suspend: (by: string, why: string) => void done.push(`suspend ${by}: ${why}`),
    resume: () => void done.push('resume'),
  };
}

function scenario() {
  const at = { ms: 0 };
  const [cordoned, other] = [anOffer(), anOffer()];
  const offers = new CordonedOffers({
    workers: () => [cordoned, other],
    why: () => 'NVML is lost',
    clock: { now: () => 0, monotonic: () => at.ms },
  });
  const checkAt = (ms: number): void => {
    at.ms = ms;
    offers.check();
  };
  return { cordoned, other, checkAt };
}

test('an offer leaves the market once all its GPUs were cordoned for 30 s, and returns with the first of them', () => {
  const { checkAt, cordoned, other } = scenario();
  cordoned.isCordoned = true;
  for (const ms of [1_000, 10_000, 30_999]) checkAt(ms);
  expect(cordoned.done).toEqual([]);
  checkAt(31_000);
  expect(cordoned.done).toEqual(['suspend gpus: NVML is lost']);
  cordoned.isCordoned = false;
  checkAt(36_000);
  expect(cordoned.done.at(-1)).toBe('resume');
  expect(other.done.every((what) => what === 'resume')).toBe(true);
});

test('an offer whose GPUs are cordoned again and again for a short while stays', () => {
  const { checkAt, cordoned } = scenario();
  for (let ms = 0; ms < 120_000; ms += 20_000) {
    cordoned.isCordoned = true;
    checkAt(ms);
    cordoned.isCordoned = false;
    checkAt(ms + 15_000);
  }
  expect(cordoned.done.filter((what) => what !== 'resume')).toEqual([]);
});
