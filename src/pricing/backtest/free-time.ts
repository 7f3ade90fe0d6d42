import { sortInSteps } from '../../domain/sort-in-steps.ts';
import type { AskStretch } from './ask-steps.ts';
import type { Observed } from './observed.ts';
import type { SlotStep } from './slot-count.ts';

/** A stretch of time; `until` is not included. */
export type Span = { readonly from: number; readonly until: number };

/** When this host could have taken another job in fact, and when all of its slots were taken. */
export type FreeTime = { readonly free: readonly Span[]; readonly busy: readonly Span[] };

/** By own jobs and slots; time without slots is neither. Pure. A `yield` follows each small step. */
export function* freeTimeOf(
  { from, own, until }: Observed,
  slots: readonly SlotStep[],
): Generator<void, FreeTime> {
  const unsorted = [
    ...own.flatMap((job) => [
      { at: Math.max(job.from, from), jobs: 1, slots: undefined },
      { at: Math.max(job.until, job.from, from), jobs: -1, slots: undefined },
    ]),
    ...slots.map((step) => ({ at: step.from, jobs: 0, slots: step.slots })),
  ];
  const changes = yield* sortInSteps(unsorted, (a, b) => a.at - b.at);
  const [free, busy]: [Span[], Span[]] = [[], []];
  let [running, room, at] = [0, 0, from];
  const close = (end: number): void => {
    if (end <= at || room === 0) return;
    const spans = running < room ? free : busy;
    const last = spans.at(-1);
    if (last?.until === at) spans[spans.length - 1] = { from: last.from, until: end };
    else spans.push({ from: at, until: end });
  };
  for (const change of changes) {
    close(Math.min(change.at, until));
    at = Math.max(at, Math.min(change.at, until));
    running += change.jobs;
    room = change.slots ?? room;
    yield;
  }
  close(until);
  return { free, busy };
}

/** So many milliseconds of the spans are between two instants. Spans are in order and apart. Pure. */
export function overlapMs(spans: readonly Span[], from: number, until: number): number {
  let sum = 0;
  for (let at = firstAfter(spans, from); at < spans.length; at += 1) {
    const span = spans[at];
    if (span === undefined || span.from >= until) break;
    sum += Math.min(span.until, until) - Math.max(span.from, from);
  }
  return sum;
}

/** The span in which an instant is; undefined: none. Pure. */
export function spanAt(spans: readonly Span[], at: number): Span | undefined {
  const span = spans[firstAfter(spans, at)];
  return span !== undefined && span.from <= at ? span : undefined;
}

/** The first span that ends after an instant. */
function firstAfter(spans: readonly Span[], at: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.until ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The total length in milliseconds. Pure. */
export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, until }) => sum + until - from, 0);
}

/** The highest ask of the stretches that hold between two instants; undefined: none does. Pure. */
export function highestAsk(
  stretches: readonly AskStretch[],
  from: number,
  until: number,
): number | undefined {
  let highest: number | undefined;
  for (let at = firstAfter(stretches, from); at < stretches.length; at += 1) {
    const stretch = stretches[at];
    if (stretch === undefined || (stretch.from > until && highest !== undefined)) break;
    highest = Math.max(highest ?? stretch.ask, stretch.ask);
  }
  return highest;
}
