import { expect, test } from 'vitest';
import { OutputRateLimit } from '../../../../src/agent/jobs/output-rate-limit.ts';

const MB = 1_000_000;

/** A gate and its clock, in seconds. */
function gateAt(): { readonly gate: OutputRateLimit; readonly at: (seconds: number) => void } {
  let now = 0;
  return { gate: new OutputRateLimit(() => now), at: (seconds) => void (now = seconds * 1000) };
}

test('two gigabytes at once are no flood yet, a byte more is', () => {
  const { gate } = gateAt();
  expect(gate.take(800 * MB)).toBe(false);
  expect(gate.take(1_200 * MB)).toBe(false);
  expect(gate.take(1)).toBe(true);
});

test('a megabyte a second is no flood, however long it goes on', () => {
  const { at, gate } = gateAt();
  const seconds = Array.from({ length: 10_000 }, (_, second) => second);
  const floods = seconds.filter((second) => {
    at(second);
    return gate.take(MB);
  });
  expect(floods).toEqual([]);
});

test('silence makes up for what was printed, not for what is still to come', () => {
  const { at, gate } = gateAt();
  expect(gate.take(1_900 * MB)).toBe(false);
  at(100_000);
  expect(gate.take(1_900 * MB)).toBe(false);
  expect(gate.take(200 * MB)).toBe(true);
});
