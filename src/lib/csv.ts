/**
 * Where a spreadsheet would begin a formula: at the beginning of a cell, and behind whatever it may take for the end of one,
 * since its separator is not always the comma.
 */
const FORMULA = /(^|[,;|\t\r\n])(\s*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/** What a terminal might obey. */
const CONTROL = /[^\P{Cc}\t\r\n]/gu;

/** A row of CSV by RFC 4180, with its line end. A text, which others may have written, is never taken for a formula. */
export function csvRow(cells: readonly (number | string | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(cell: number | string | null): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const text = cell.replace(FORMULA, "$1$2'").replace(CONTROL, '\uFFFD').toWellFormed();
  return /[",;\t\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
