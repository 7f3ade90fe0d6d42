/** The lines of a text that are new (`+`), gone (`-`) or stay (blank), with two that stay around each change. Pure. */
export function diffText(before: string, after: string): string {
  const lines = diff(linesOf(before), linesOf(after));
  const isNear = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(isChange));
  return lines
    .flatMap((line, at) => {
      if (isNear[at]) return [line];
      return at > 0 && isNear[at - 1] && isNear.slice(at).includes(true) ? ['  ...'] : [];
    })
    .join('\n');
}

const AROUND = 2;

function isChange(line: string): boolean {
  return !line.startsWith(' ');
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** What stays is found from both ends and by the longest common part: a file has some hundred lines. */
function diff(before: readonly string[], after: readonly string[]): readonly string[] {
  let top = 0;
  while (top < before.length && top < after.length && before[top] === after[top]) top += 1;
  let bottom = 0;
  const most = Math.min(before.length, after.length) - top;
  while (bottom < most && before.at(-1 - bottom) === after.at(-1 - bottom)) bottom += 1;
  const kept = (line: string): string => `  ${line}`;
  return [
    ...before.slice(0, top).map(kept),
    ...middle(before.slice(top, before.length - bottom), after.slice(top, after.length - bottom)),
    ...before.slice(before.length - bottom).map(kept),
  ];
}

function middle(before: readonly string[], after: readonly string[]): readonly string[] {
  const lengths = commonLengths(before, after);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      lines.push(`  ${old}`);
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
      lines.push(`- ${old}`);
      i += 1;
    } else {
      lines.push(`+ ${fresh}`);
      j += 1;
    }
  }
  return lines;
}

/** How many lines the rests of both have in common, from each pair of lines on. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly (readonly number[])[] {
  const table: number[][] = Array.from({ length: before.length + 1 }, () =>
    Array.from({ length: after.length + 1 }, () => 0),
  );
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const row = table[i];
      if (row === undefined) continue;
      row[j] =
        before[i] === after[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  return table;
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
