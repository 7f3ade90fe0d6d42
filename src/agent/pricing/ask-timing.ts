import { elapsedMs } from '../../domain/boot-time.ts';
import type { Instant, PricingState } from '../../domain/ports/price-store.ts';

const HOUR_MS = 3_600_000;

/** Now, and for how long this process has known: less than that nothing can be that it has seen. In milliseconds. */
export type AskTime = Instant & { readonly uptimeMs: number };

/**
 * In how many milliseconds a strategy may be asked again: at the next whole hour, if the ask was not changed in the hour
 * before, else an hour after that. However the wall clock is set, half an hour passes between two times. Pure.
 */
export function dueInMs(
  { askedAt, changedAt }: Pick<PricingState, 'askedAt' | 'changedAt'>,
  now: AskTime,
): number {
  const afterChange = changedAt === undefined ? 0 : HOUR_MS - sinceMs(changedAt, now);
  return Math.max(0, afterChange, toNextHour(askedAt, now));
}

function toNextHour(askedAt: Instant, now: AskTime): number {
  const wait = Math.max(0, HOUR_MS / 2 - sinceMs(askedAt, now));
  const then = now.wall + wait;
  return hourOf(then) === hourOf(askedAt.wall) ? (hourOf(then) + 1) * HOUR_MS - now.wall : wait;
}

function hourOf(wall: number): number {
  return Math.floor(wall / HOUR_MS);
}

/** By the clock that cannot be set; across a reboot by the wall clock, but not less than this process has run. */
function sinceMs(then: Instant, now: AskTime): number {
  return elapsedMs(then.boot, now.boot) ?? Math.max(now.uptimeMs, now.wall - then.wall, 0);
}
