import { expect, test } from 'vitest';
import { OutputRateLimit } from '../../../../src/agent/jobs/output-rate-limit.ts';

const MB = 1_000_000;

/** A limit and its clock, in seconds. */
function limitAt(): { readonly limit: OutputRateLimit; readonly at: (seconds: number) => void } {
  let now = 0;
  return { limit: new OutputRateLimit(() => now), at: (seconds) => void (now = seconds * 1000) };
}

test('two gigabytes at once are no flood yet, one byte more is', () => {
  const { limit } = limitAt();
  expect(limit.take(800 * MB)).toBe(false);
  expect(limit.take(1_200 * MB)).toBe(false);
  expect(limit.take(1)).toBe(true);
});

test('a megabyte a second is no flood, however long it goes on', () => {
  const { at, limit } = limitAt();
  const seconds = Array.from({ length: 10_000 }, (_, second) => second);
  const floods = seconds.filter((second) => {
    at(second);
    return limit.take(MB);
  });
  expect(floods).toEqual([]);
});

test('silence makes room again up to the burst, and not beyond it', () => {
  const { at, limit } = limitAt();
  expect(limit.take(1_900 * MB)).toBe(false);
  at(100_000);
  expect(limit.take(1_900 * MB)).toBe(false);
  expect(limit.take(200 * MB)).toBe(true);
});
