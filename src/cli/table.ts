import { escapeControls } from '../lib/escape.ts';

/** One column of a table for people. */
export type Column<Row> = {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: true;
};

/** Rows under their titles, in columns as wide as their widest cell; control characters are escaped. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => escapeControls(cell(row)))),
  ];
  // Not Math.max(...lines): a market may have more rows than a call may have arguments.
  const widths = columns.map((_, index) =>
    lines.reduce((widest, cells) => Math.max(widest, (cells[index] ?? '').length), 0),
  );
  const pad = (cell: string, index: number) =>
    columns[index]?.right ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0);
  return lines.map((cells) => `${cells.map(pad).join('  ').trimEnd()}\n`).join('');
}
