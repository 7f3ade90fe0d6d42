import { type ImageDiskRules, ImageRoom } from '../../../src/agent/images/image-room.ts';
import type { HostClock } from '../../../src/domain/ports/clock.ts';
import { diskUse } from '../../../src/host/disk-space.ts';
import { systemClock } from '../../../src/lib/clock.ts';

/** A real disk between the marks of the options' defaults, on which nothing is pulled ahead. */
export function imageDisk(changes: Partial<ImageDiskRules> = {}): ImageDiskRules {
  return {
    use: diskUse,
    high: 0.85,
    low: 0.8,
    prefetch: false,
    costPerByte: 0,
    room: new ImageRoom(),
    ...changes,
  };
}

/** The time of this machine, by which an image that was just pulled is old once `pass` is called. */
export function leapingClock(): HostClock & { pass(ms: number): void } {
  let more = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + more,
    pass: (ms) => void (more += ms),
  };
}
