import { DIFFERENCES, type Difference } from '../../domain/books.ts';
import { JOB_STATUS } from '../../domain/job.ts';
import { shortIds } from '../../lib/short-id.ts';
import { dollars } from '../../pricing/money.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { localTime } from '../local-time.ts';
import { type Column, table } from '../table.ts';
import type { Question, Reconciliation } from './reconcile.ts';

type Shown = Question & { readonly found: Reconciliation };

const NAMES = new Map<number, string>(Object.entries(JOB_STATUS).map(([name, status]) => [status, name]));

/** What was compared, as JSON; amounts in micro-dollars. */
export function reconcileJson({ broker, found, fromMs }: Shown): string {
  const { account, agrees, differences, ...sums } = found;
  const json = {
    broker,
    from: new Date(fromMs).toISOString(),
    agrees,
    ...sums,
    differences: differences.map(({ broker: theirs, here, ...one }) => ({
      ...one,
      here: here && { ...here, status: nameOf(here.status) },
      broker: theirs && { status: nameOf(theirs.status), microDollars: theirs.microDollars ?? null },
    })),
    account: {
      balanceMicroDollars: account.balance,
      spentMicroDollars: account.spent ?? null,
      ledgerMicroDollars: account.ledger,
      differencesMicroDollars: account.differences,
      unexplainedMicroDollars: account.unexplained,
    },
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** What was compared, for people. */
export function reconcileText({ broker, found, fromMs }: Shown, page: Page): string {
  const { account, differences, jobs, moreDifferences, unreadable } = found;
  const kinds = [...new Set(differences.map(({ kind }) => kind))];
  const all = differences.length + moreDifferences;
  const lines = [
    `${count(jobs, 'job')} since ${localTime(new Date(fromMs))} compared with ${broker}: ${all === 0 ? 'all agree' : `${jobs - all} agree`}`,
    ...kinds.map((kind) => `${kind}: ${DIFFERENCES[kind]}`),
    ...(moreDifferences === 0 ? [] : [`${count(moreDifferences, 'difference')} more: --json counts them`]),
    ...(unreadable === 0 ? [] : [`${count(unreadable, 'job')} of the broker’s list could not be read`]),
    `these jobs: ${exact(found.hereMicroDollars)} here, ${exact(found.brokerMicroDollars)} at the broker`,
    `the account: balance ${exact(account.balance)}${account.spent === undefined ? '' : `, spent ${exact(account.spent)}`}; earned here ${exact(account.ledger)}, differences ${exact(account.differences)}`,
    `unexplained: ${exact(account.unexplained)} (deposits, payouts, ${account.spent === undefined ? 'purchases, ' : ''}other hosts of the account)`,
  ];
  const rows = differences.length === 0 ? '' : `${table(COLUMNS, differences, page)}\n`;
  return `${rows}${lines.flatMap((line) => linesOf(line, page)).join('\n')}\n`;
}

const COLUMNS: readonly Column<Difference>[] = [
  { title: 'JOB', cell: ({ job }) => shortIds(job) },
  { title: 'DIFFERENCE', cell: ({ kind }) => kind },
  { title: 'HERE', cell: hereText, wrap: true },
  { title: 'BROKER', cell: brokerText, wrap: true },
  { title: 'AMOUNT', cell: ({ microDollars }) => exact(microDollars), right: true },
];

function hereText({ here }: Difference): string {
  if (here === null) return '';
  const state = here.state === 'reported' ? nameOf(here.status) : here.state;
  return `${state} ${exact(here.microDollars)}`;
}

function brokerText({ broker }: Difference): string {
  if (broker === null) return '';
  const amount = broker.microDollars === undefined ? '' : ` ${exact(broker.microDollars)}`;
  return `${nameOf(broker.status)}${amount}`;
}

function nameOf(status: number | undefined): string | null {
  return status === undefined ? null : (NAMES.get(status) ?? String(status));
}

/** Differences may be of a millionth. */
function exact(microDollars: number): string {
  return `${microDollars < 0 ? '-' : ''}$${dollars(Math.abs(microDollars)).toFixed(6)}`;
}
