import { expect, test } from 'vitest';
import { forEachInSlices, inSlices } from '../../../src/lib/slices.ts';

/** Counts the turns of the event loop until the work is done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    if (isOver) return;
    turns += 1;
    setImmediate(count);
  };
  count();
  await work.finally(() => void (isOver = true));
  return turns;
}

test('a long list is worked through in slices, in order, and the event loop goes on between them', async () => {
  const items = Array.from({ length: 100_000 }, (_, index) => index);
  const seen: number[] = [];
  const turns = await turnsDuring(forEachInSlices(items, (item) => void seen.push(item)));
  expect(seen).toEqual(items);
  expect(turns).toBeGreaterThanOrEqual(20);
});

test('slow steps make more slices', async () => {
  const slow = (): void => {
    const until = performance.now() + 1;
    while (performance.now() < until);
  };
  const turns = await turnsDuring(
    forEachInSlices(
      Array.from({ length: 100 }, () => 0),
      slow,
    ),
  );
  expect(turns).toBeGreaterThanOrEqual(5);
});

test('a slice ends after each step that says that it was long and was so', async () => {
  const turns = await turnsDuring(inSlices(longSteps(10)));
  expect(turns).toBeGreaterThanOrEqual(10);
});

function* longSteps(count: number): Generator<'long', void> {
  for (let step = 0; step < count; step += 1) {
    const until = performance.now() + 5;
    while (performance.now() < until);
    yield 'long';
  }
}

test('a short list takes no turn of its own', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('turn'));
  await forEachInSlices(['a', 'b'], (item) => void order.push(item));
  expect(order).toEqual(['a', 'b']);
});

test('returns what the steps return, and throws what they throw', async () => {
  expect(await inSlices(steps(10_000, () => 'done'))).toBe('done');
  const failing = steps(10_000, () => {
    throw new RangeError('no');
  });
  await expect(inSlices(failing)).rejects.toThrow(RangeError);
});

function* steps<T>(count: number, end: () => T): Generator<void, T> {
  for (let step = 0; step < count; step += 1) yield;
  return end();
}
