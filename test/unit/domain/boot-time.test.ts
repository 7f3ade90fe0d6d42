import { expect, test } from 'vitest';
import { type BootTime, bootTimeAgo, elapsedMs, rebooted } from '../../../src/domain/boot-time.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const at = (boot: string, upMs: number): BootTime => ({ boot, upMs });

test.each<[BootTime, BootTime, number | undefined, boolean]>([
  [at('a', 1000), at('a', 3500), 2500, false],
  [at('a', 3500), at('a', 1000), 0, false],
  [at('a', 1000), at('b', 3500), undefined, true],
  [at('', 0), at('b', 3500), undefined, false],
  [at('a', 1000), at('', 3500), undefined, false],
  [at('', 1000), at('', 3500), undefined, false],
])('from %j to %j: %j ms, restarted: %j', (from, to, elapsed, again) => {
  expect(elapsedMs(from, to)).toBe(elapsed);
  expect(rebooted(from, to)).toBe(again);
});

test.each<[string, number, BootTime, BootTime]>([
  ['is what the clock says', 1000, at('a', 500), at('a', 2500)],
  ['is not before the earliest time', 5000, at('a', 500), at('a', 500)],
  ['is not in the future', -1, at('a', 500), at('a', 500)],
  ['is not in another boot', 1000, at('b', 500), at('b', 500)],
  ['is not in an unknown boot', 1000, at('', 500), at('', 500)],
])('a time ago %s', (_, agoMs, earliest, expected) => {
  expect(bootTimeAgo(at('a', 3500), agoMs, earliest)).toEqual(expected);
});

test('the system clock reads the boot id and the time since boot', () => {
  const first = systemClock.bootTime();
  const second = systemClock.bootTime();
  expect(first.boot).toMatch(/^[\da-f-]{36}$/);
  expect(first.upMs).toBeGreaterThan(0);
  expect(elapsedMs(first, second)).toBeGreaterThanOrEqual(0);
});
