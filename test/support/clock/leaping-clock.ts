import type { HostClock } from '../../../src/domain/ports.ts';
import { systemClock } from '../../../src/lib/clock.ts';

/** The real time, and what the test adds to it. An agent takes a leap for a time that its host slept through. */
export class LeapingClock implements HostClock {
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#aheadMs;
  }

  moment(): ReturnType<HostClock['moment']> {
    const { boot, upMs } = systemClock.moment();
    return { boot, upMs: upMs + this.#aheadMs };
  }

  leap(ms: number): void {
    this.#aheadMs += ms;
  }
}
