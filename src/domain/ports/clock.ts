import type { BootTime } from '../boot-time.ts';

/** The time. `now` is the wall clock in milliseconds, `monotonic` never goes back or jumps. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** The time as the host has it: `bootTime` can be compared across restarts of the agent, whatever is set meanwhile. */
export interface HostClock extends Clock {
  bootTime(): BootTime;
}
