import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a slice may take, in milliseconds: other work of the event loop waits for no longer than that. */
const SLICE_MS = 4;
/** The clock is read after so many steps, and after each long one. */
const STEPS_PER_LOOK = 16;
/** A slice ends after so many steps, even where the clock stands still. */
const MAX_STEPS = 5_000;

/** A computation in small steps, with a `yield` after each: `long` after one that may take a millisecond or more. */
export type Steps<T> = Iterator<void | 'long', T>;

/** Runs a computation in slices between which the event loop goes on. Throws what a step throws. */
export async function inSlices<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    for (let done = 1; done <= MAX_STEPS; done += 1) {
      const step = steps.next();
      if (step.done === true) return step.value;
      const isLookDue = step.value === 'long' || done % STEPS_PER_LOOK === 0;
      if (isLookDue && performance.now() >= until) break;
    }
    await nextTurn();
  }
}

/** Runs a computation to its end at once, where nothing else waits. */
export function finish<T>(steps: Iterator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does `work` for each item, in slices between which the event loop goes on. */
export function forEachInSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  return inSlices(eachOf(items, work));
}

function* eachOf<T>(items: Iterable<T>, work: (item: T) => void): Generator<void, void> {
  for (const item of items) {
    work(item);
    yield;
  }
}
