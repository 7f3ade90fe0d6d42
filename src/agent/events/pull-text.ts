import type { PullStatus } from '../../domain/pull-status.ts';
import { readableBytes, readableDuration } from '../../lib/readable.ts';

/** A pull in a line for people. */
export function pullText({
  bytesPerSecond,
  doneBytes,
  image,
  secondsLeft,
  totalBytes,
  unknownLayers,
}: PullStatus): string {
  if (unknownLayers === 0 && totalBytes > 0 && doneBytes >= totalBytes) return `unpacking ${image}`;
  const total = `${unknownLayers > 0 ? 'at least ' : ''}${readableBytes(totalBytes)}`;
  const left = secondsLeft === undefined ? '' : `, ${readableDuration(secondsLeft * 1000)} left`;
  return `pulling ${image}: ${readableBytes(doneBytes)} of ${total} at ${readableBytes(bytesPerSecond)}/s${left}`;
}
