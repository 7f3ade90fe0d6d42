import type { HostClock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';

/** How often is looked whether time went by without us, in milliseconds. */
const TICK_MS = 1_000;
/** Less than this is a busy host. */
const LEAST_AWAY_MS = 5_000;

/** Two clocks at one moment, in milliseconds: one that workers still while the host sleeps, and one that does not. */
export type ClockSample = { readonly monotonic: number; readonly upMs: number };

/** Both clocks as they are now. */
export function sampleClocks(clock: HostClock): ClockSample {
  return { monotonic: clock.monotonic(), upMs: clock.bootTime().upMs };
}

/**
 * How long nothing was done here between two ticks, in milliseconds: the host slept, or this process was stopped.
 * undefined: not long enough to speak of. Pure.
 */
export function suspendedMs(before: ClockSample, now: ClockSample): number | undefined {
  const wokeMs = now.monotonic - before.monotonic;
  const sleptMs = Math.max(now.upMs - before.upMs - wokeMs, 0);
  const away = sleptMs + Math.max(wokeMs - TICK_MS, 0);
  return away < LEAST_AWAY_MS ? undefined : Math.round(away);
}

/** Calls `onWakeUp` after each time that nothing was done here for a while, until the signal aborts. */
export async function detectSuspends(
  tick: () => ClockSample,
  onWakeUp: (suspendedMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let before = tick();
  while (await sleep(TICK_MS, signal)) {
    const now = tick();
    const away = suspendedMs(before, now);
    if (away !== undefined) onWakeUp(away);
    before = now;
  }
}
