import type { BootTime } from '../boot-time.ts';

/** Both in milliseconds: `now` is the wall clock, `monotonic` never goes back or jumps. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** A clock whose `bootTime` can be compared across restarts of the agent, even if the wall clock is set. */
export interface HostClock extends Clock {
  bootTime(): BootTime;
}
