import { readableEarnings, readablePrice } from '../../lib/readable.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { table } from '../table.ts';
import type { OutcomeRow } from './outcome.ts';

const SUBJECT_WIDTH = 9;

/** What the dry run uses, one subject after the other. */
export function introText(intro: Readonly<Record<string, string>>, page: Page): string {
  const lines = Object.entries(intro).flatMap(([subject, description]) =>
    linesOf(description, page, SUBJECT_WIDTH).map(
      (line, index) => `${(index === 0 ? subject : '').padEnd(SUBJECT_WIDTH)}${line}\n`,
    ),
  );
  return `${lines.join('')}\n`;
}

/** The table at the end of a dry run, and what ended differently than expected. */
export function outcomeTable(rows: readonly OutcomeRow[], page: Page): string {
  const earned = rows.reduce((sum, row) => sum + row.earned, 0);
  const wrong = rows.filter((row) => row.wrong !== undefined);
  const text = table<OutcomeRow>(
    [
      { title: '', cell: (row) => (row.wrong === undefined ? '✓' : '✗') },
      { title: 'run', cell: (row) => row.run },
      { title: 'shows', cell: (row) => row.shows, wrap: true },
      { title: 'bid/min', cell: (row) => readablePrice(row.bid), right: true },
      { title: 'jobs', cell: (row) => String(row.jobs), right: true },
      { title: 'outcome', cell: (row) => row.outcome, wrap: true },
      { title: 'earned', cell: (row) => (row.earned === 0 ? '' : readableEarnings(row.earned)), right: true },
    ],
    rows,
    page,
  );
  const details = wrong.map((row) => `  ${row.run}: ${row.wrong}\n`).join('');
  const verdict =
    wrong.length === 0 ? 'every run ended as expected' : `${count(wrong.length, 'run')} ended differently:`;
  return `\n${text}\nearned ${readableEarnings(earned)}; ${verdict}\n${details}`;
}
