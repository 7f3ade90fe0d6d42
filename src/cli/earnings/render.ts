import { readableEarnings, readableEnergy } from '../../lib/readable.ts';
import { shortIds } from '../../lib/short-id.ts';
import { dollars } from '../../pricing/money.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';
import type { Shown } from './source.ts';

type Sums = Shown['total'];
type Line = Sums & { readonly name: string };

/** Earnings as JSON. */
export function earningsJson({ by, from, idle, rows, timeZone, total, until }: Shown): string {
  return `${JSON.stringify({ timeZone, from, until, by, rows, total, idle }, null, 2)}\n`;
}

/** Earnings as a table for people. What is not known stays empty. */
export function earningsTable(shown: Shown, page: Page): string {
  const { by, from, idle, rows, total, until } = shown;
  const range = from === until ? `on ${from}` : `from ${from} to ${until}`;
  if (rows.length === 0) return `nothing was earned ${range}\n`;
  const lines: readonly Line[] = [...rows, { ...total, name: 'total' }];
  const notes = [
    ...(total.unpricedJobs === 0 || total.netMicroDollars === null
      ? []
      : [`<: at most this, because the power cost of ${count(total.unpricedJobs, 'job')} is not known`]),
    ...(total.estimatedJobs > 0
      ? ['~: an estimate: a sensor did not see all the time, or what a GPU takes idle was not known yet']
      : []),
    ...(total.powerCostMicroDollars === null
      ? [
          'power cost and net are not known: there was no electricity price, or no sensor, when the jobs ended',
        ]
      : []),
    ...(idle.energyJoules === null ? [] : [idleText(idle)]),
  ];
  const columns = [{ title: by.toUpperCase(), cell: nameOf, wrap: true } as const, ...COLUMNS];
  const said = notes.flatMap((note) => linesOf(note, page)).map((line) => `${line}\n`);
  return [table(columns, lines, page), ...(said.length > 0 ? ['\n'] : []), ...said].join('');
}

const COLUMNS: readonly Column<Line>[] = [
  { title: 'EARNED', cell: (row) => money(row.confirmedMicroDollars), right: true },
  {
    title: 'PENDING',
    cell: (row) => (row.pendingJobs === 0 ? '' : money(row.pendingMicroDollars)),
    right: true,
  },
  {
    title: 'ENERGY',
    cell: energy,
    right: true,
  },
  { title: 'POWER', cell: (row) => money(row.powerCostMicroDollars), right: true },
  {
    title: 'NET',
    cell: (row) =>
      row.netMicroDollars === null ? '' : `${row.unpricedJobs > 0 ? '<' : ''}${money(row.netMicroDollars)}`,
    right: true,
  },
  { title: 'JOBS', cell: (row) => String(row.jobs), right: true },
];

function nameOf({ name }: Line): string {
  return shortIds(name);
}

function energy({ energyJoules, estimatedJobs }: Line): string {
  if (energyJoules === null) return '';
  return `${estimatedJobs > 0 ? '~' : ''}${readableEnergy(energyJoules)}`;
}

function money(microDollars: number | null): string {
  return microDollars === null ? '' : readableEarnings(dollars(microDollars));
}

function idleText({ energyJoules, powerCostMicroDollars }: Shown['idle']): string {
  const cost = powerCostMicroDollars === null ? '' : `, ${money(powerCostMicroDollars)}`;
  return `GPUs without a job: ${readableEnergy(energyJoules ?? 0)}${cost}; in no row`;
}
