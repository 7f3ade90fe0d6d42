/** Compares versions number by number: negative if `a` is below `b`, 0 if equal. A missing number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a text begins with a version of at least two numbers. */
export function isVersion(text: string): boolean {
  return /^\d+(?:\.\d+)+/.test(text);
}

/** The first `numbers` numbers of a version: `1.2` for two of `1.2.8`. */
export function branchOf(version: string, numbers: number): string {
  return numbersOf(version).slice(0, numbers).join('.');
}

function numbersOf(version: string): readonly number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}
