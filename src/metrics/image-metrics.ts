import type { OwnersBytes } from '../domain/image-bytes.ts';
import { type MetricValues, valuesOf } from './metric.ts';
import { METRICS } from './table.ts';

const OWNERS = ['agent', 'other'] as const;

/** The images of the engine; nothing where they are not known. Pure. */
export function imageValues(known: OwnersBytes | undefined): readonly MetricValues[] {
  if (known === undefined) return [];
  return [
    valuesOf(
      METRICS.images,
      OWNERS.map((owner) => [{ owner }, known[owner].images]),
    ),
    valuesOf(
      METRICS.imageBytes,
      OWNERS.map((owner) => [{ owner }, known[owner].bytes]),
    ),
  ];
}
