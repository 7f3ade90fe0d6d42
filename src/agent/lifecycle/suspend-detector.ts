import type { HostClock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';

/** How often the clocks are compared. */
const TICK_MS = 1_000;
/** A shorter gap is that of a busy host. */
const MIN_SUSPENDED_MS = 5_000;

/** Two clocks at one moment, in milliseconds: `monotonic` stops while the host sleeps, `upMs` does not. */
export type ClockSample = { readonly monotonic: number; readonly upMs: number };

export function sampleClocks(clock: HostClock): ClockSample {
  return { monotonic: clock.monotonic(), upMs: clock.bootTime().upMs };
}

/**
 * How long the agent did not run between two ticks, because the host slept or the process was stopped, in milliseconds.
 * undefined: not longer than a busy host may take. Pure.
 */
export function suspendedMs(before: ClockSample, now: ClockSample): number | undefined {
  const awakeMs = now.monotonic - before.monotonic;
  const asleepMs = Math.max(now.upMs - before.upMs - awakeMs, 0);
  const suspended = asleepMs + Math.max(awakeMs - TICK_MS, 0);
  return suspended < MIN_SUSPENDED_MS ? undefined : Math.round(suspended);
}

/** Calls `onResume` after each time that the agent did not run, until the signal aborts. */
export async function detectSuspends(
  sample: () => ClockSample,
  onResume: (suspendedMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let before = sample();
  while (await sleep(TICK_MS, signal)) {
    const now = sample();
    const suspended = suspendedMs(before, now);
    if (suspended !== undefined) onResume(suspended);
    before = now;
  }
}
