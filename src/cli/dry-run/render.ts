import { table } from '../table.ts';
import type { OutcomeRow } from './outcome.ts';

/** The table at the end of a dry run, with what went wrong below it. */
export function outcomeTable(rows: readonly OutcomeRow[]): string {
  const earned = rows.reduce((sum, row) => sum + row.earned, 0);
  const wrong = rows.filter((row) => row.wrong !== undefined);
  const text = table<OutcomeRow>(
    [
      { title: '', cell: (row) => (row.wrong === undefined ? '✓' : '✗') },
      { title: 'run', cell: (row) => row.run },
      { title: 'shows', cell: (row) => row.shows },
      { title: 'bid $/min', cell: (row) => row.bid.toFixed(2), right: true },
      { title: 'jobs', cell: (row) => String(row.jobs), right: true },
      { title: 'outcome', cell: (row) => row.outcome },
      { title: 'earned $', cell: (row) => row.earned.toFixed(6), right: true },
    ],
    rows,
  );
  const complaints = wrong.map((row) => `${row.run}: ${row.wrong}\n`).join('');
  const verdict = wrong.length === 0 ? 'all as it should be' : `${wrong.length} not as it should be:`;
  return `\n${text}\nearned $${earned.toFixed(6)}; ${verdict}\n${complaints}`;
}
