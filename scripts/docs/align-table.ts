/** Pads the columns of a Markdown table to equal width, as the formatter does. */
export function alignTable(table: string): string {
  const rows = table.trim().split('\n').map(cellsOf);
  const columns = Math.max(...rows.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(3, ...rows.map((cells) => (isRule(cells) ? 0 : (cells[column] ?? '').length))),
  );
  return rows
    .map((cells) => {
      const padded = widths.map((width, column) =>
        isRule(cells) ? '-'.repeat(width) : (cells[column] ?? '').padEnd(width),
      );
      return `| ${padded.join(' | ')} |`;
    })
    .join('\n');
}

/** A row's cells; `\|` does not separate cells. */
function cellsOf(row: string): readonly string[] {
  return row
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function isRule(cells: readonly string[]): boolean {
  return cells.every((cell) => /^-{3,}$/.test(cell));
}
