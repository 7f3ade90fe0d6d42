/** How many letters must be put in, left out, changed or swapped with their neighbour to make `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (same ? 0 : 1),
          swapped ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

/**
 * The candidate that somebody who wrote `text` most likely meant, or undefined where none is near: more than a
 * third of the letters would have to change. Upper and lower case, `-` and `_` are taken as the same.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(text.slice(0, 64));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, plain(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.max(wanted.length, candidate.length) / 3)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** ` (did you mean --ask-price?)` to end a sentence with, or nothing where no candidate is near. */
export function didYouMean(text: string, candidates: readonly string[]): string {
  const found = nearest(text, candidates);
  return found === undefined ? '' : ` (did you mean ${found}?)`;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll('_', '-');
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
