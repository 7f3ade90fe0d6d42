import type { HostClock } from '../../../src/domain/ports/clock.ts';
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

  bootTime(): ReturnType<HostClock['bootTime']> {
    const { boot, upMs } = systemClock.bootTime();
    return { boot, upMs: upMs + this.#aheadMs };
  }

  leap(ms: number): void {
    this.#aheadMs += ms;
  }
}
