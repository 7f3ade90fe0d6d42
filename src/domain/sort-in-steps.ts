/** So many items are sorted in one step. */
const CHUNK = 256;

/**
 * As `items.toSorted(compare)`, with a `yield` after each small step, for a list as long as strangers like. Pure; a merge
 * sort, so equal items keep their order.
 */
export function* sortInSteps<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<void, readonly T[]> {
  let parts: (readonly T[])[] = [];
  for (let from = 0; from < items.length; from += CHUNK) {
    parts.push(items.slice(from, from + CHUNK).sort(compare));
    yield;
  }
  while (parts.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < parts.length; at += 2)
      merged.push(yield* mergeInSteps(parts[at] ?? [], parts[at + 1] ?? [], compare));
    parts = merged;
  }
  return parts[0] ?? [];
}

function* mergeInSteps<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<void, readonly T[]> {
  if (right.length === 0) return left;
  const merged: T[] = [];
  let [l, r] = [0, 0];
  while (merged.length < left.length + right.length) {
    const [a, b] = [left[l], right[r]];
    const isLeft = b === undefined || (a !== undefined && compare(a, b) <= 0);
    const next = isLeft ? a : b;
    if (next === undefined) break;
    merged.push(next);
    if (isLeft) l += 1;
    else r += 1;
    if (merged.length % CHUNK === 0) yield;
  }
  return merged;
}
