import { cut } from '../lib/cut.ts';
import { wrap } from '../lib/wrap.ts';
import { type Page, printable } from './lines.ts';

const GAP = '  ';
/** A column is never wrapped to less than this. */
const MIN_WIDTH = 8;
/** The longest cell, in characters: others wrote some of them. */
const MAX_CELL = 500;

/** One column of a table for people. */
export type Column<Row> = {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Aligned to the right, as numbers are. */
  readonly right?: true;
  /** Cells are wrapped where the table is wider than the terminal. */
  readonly wrap?: true;
};

/**
 * Rows under their titles, as wide as the page as far as the columns that wrap allow. Cells are made printable.
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], page: Page): string {
  return tableInParts(columns, page)(rows);
}

/** A table of very many rows in parts. The first one has the titles, and its cells decide how wide the columns are. */
export function tableInParts<Row>(
  columns: readonly Column<Row>[],
  page: Page,
): (rows: readonly Row[]) => string {
  let widths: readonly number[] | undefined;
  return (rows) => {
    const body = rows.map((row) => columns.map(({ cell }) => cut(printable(cell(row), page), MAX_CELL)));
    const cells = widths === undefined ? [columns.map(({ title }) => title), ...body] : body;
    widths ??= fit(columns, cells, page.columns);
    const fitted = widths;
    return cells.map((row) => lineOf(columns, row, fitted)).join('');
  };
}

/** The widest wrapping columns give way first, all to the same width. */
function fit<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  // Not Math.max(...cells): a market may have more rows than a call may have arguments.
  const natural = columns.map((_, index) =>
    cells.reduce((widest, row) => Math.max(widest, (row[index] ?? '').length), 0),
  );
  const available = width - GAP.length * (columns.length - 1);
  const at = (limit: number): readonly number[] =>
    natural.map((own, index) => (columns[index]?.wrap ? Math.min(own, limit) : own));
  const total = (widths: readonly number[]): number => widths.reduce((sum, one) => sum + one, 0);
  let limit = natural.reduce((widest, one) => Math.max(widest, one), 0);
  while (limit > MIN_WIDTH && total(at(limit)) > available) limit -= 1;
  return at(limit);
}

function lineOf<Row>(
  columns: readonly Column<Row>[],
  row: readonly string[],
  widths: readonly number[],
): string {
  const wrapped = row.map((cell, index) => wrap(cell, widths[index] ?? 0));
  const height = wrapped.reduce((tallest, { length }) => Math.max(tallest, length), 1);
  const line = (number: number): string =>
    wrapped
      .map((lines, index) => {
        const text = lines[number] ?? '';
        const cellWidth = widths[index] ?? 0;
        return columns[index]?.right ? text.padStart(cellWidth) : text.padEnd(cellWidth);
      })
      .join(GAP)
      .trimEnd();
  return Array.from({ length: height }, (_, number) => `${line(number)}\n`).join('');
}
