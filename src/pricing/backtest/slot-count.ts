import { sortInSteps } from '../../domain/sort-in-steps.ts';
import type { Capacity, Observed, OwnJob } from './observed.ts';

/** How many slots there are from an instant on, until the next entry. */
export type SlotStep = { readonly from: number; readonly slots: number };

/**
 * How many jobs could run at the same time, step by step from the beginning of what was observed. Where an own job was
 * claimed there was a slot for it, whatever the polls say: they are minutes apart. Pure. A `yield` follows each small step.
 */
export function* slotStepsOf({
  capacity,
  from,
  own,
  slots,
  until,
}: Observed): Generator<void, readonly SlotStep[]> {
  const polled = (capacity ?? [{ from, until, slots }]).filter((span) => span.until > span.from);
  const spans = [...polled, ...(yield* claimsOf(own, from, until))];
  const edges = new Set([from]);
  for (const { from: start, until: end } of spans) {
    for (const edge of [start, end]) if (edge > from && edge < until) edges.add(edge);
    yield;
  }
  const sorted = yield* sortInSteps([...edges], (a, b) => a - b);
  const counts = Array.from(sorted, () => 0);
  const index = new Map(sorted.map((edge, at) => [edge, at]));
  yield;
  for (const span of spans) {
    const first = index.get(Math.max(span.from, from)) ?? sorted.length;
    const last = index.get(span.until) ?? sorted.length;
    for (let at = first; at < last; at += 1) counts[at] = Math.max(counts[at] ?? 0, span.slots);
    yield;
  }
  return sorted.map((edge, at) => ({ from: edge, slots: counts[at] ?? 0 }));
}

/** For the instant of each claim, as many slots as own jobs had then. */
function* claimsOf(
  own: readonly OwnJob[],
  from: number,
  until: number,
): Generator<void, readonly Capacity[]> {
  const running: number[] = [];
  const claims: Capacity[] = [];
  for (const job of yield* sortInSteps(own, (a, b) => a.from - b.from)) {
    for (let at = running.length - 1; at >= 0; at -= 1)
      if ((running[at] ?? 0) <= job.from) running.splice(at, 1);
    running.push(Math.max(job.until, job.from + 1));
    if (job.from >= from && job.from < until)
      claims.push({ from: job.from, until: job.from + 1, slots: running.length });
    yield;
  }
  return claims;
}
