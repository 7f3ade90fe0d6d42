import { SKIP_REASONS } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { OfferProblem } from '../../domain/plan-offers.ts';
import { readablePrice } from '../../lib/readable.ts';
import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';
import type { MarketRow } from './rows.ts';

/** What `market` prints. */
export type Shown = {
  readonly broker: string;
  readonly offers: readonly Offer[];
  /** What is not offered or did not answer, and why. */
  readonly problems: readonly OfferProblem[];
  readonly rows: readonly MarketRow[];
  readonly notes: readonly string[];
};

/** The offers, a line for each run, and the totals. */
export function marketText(shown: Shown, page: Page): string {
  const { broker, notes, offers, problems, rows } = shown;
  const { jobs, reasons, taken } = totalsOf(rows);
  const lines = [
    ...offers.map(offerLine),
    ...(offers.length === 0 ? ['nothing is offered; each run shows what it would need'] : []),
    ...problems.flatMap(({ hint, what, why }) => [`problem: ${what}: ${why}`, `  hint: ${hint}`]),
  ];
  const totals = [
    `${count(rows.length, 'run')} with ${count(jobs, 'job')} on the market of ${broker}`,
    ...(offers.length === 0 ? [] : [`${String(taken).padStart(7)}  taken, if all slots were free`]),
    ...reasons.map(({ runs, words }) => `${String(runs).padStart(7)}  not taken: ${words}`),
    ...notes.map((note) => `note: ${note}`),
  ];
  const market = rows.length === 0 ? 'no run is open\n' : table(COLUMNS, rows, page);
  return `${text(lines, page)}\n${market}\n${text(totals, page)}`;
}

/** The same as JSON. */
export function marketJson({ broker, notes, offers, problems, rows }: Shown): string {
  const { jobs, reasons, taken } = totalsOf(rows);
  const shown = {
    broker,
    offers: offers.map(({ askPrice, cudaCores, gpu, kind, name, slots }) => {
      return { name, kind, gpu: gpu?.name ?? null, cudaCores, askPrice, slots: slots.length };
    }),
    problems,
    runs: rows,
    totals: { runs: rows.length, jobs, taken, notTaken: Object.fromEntries(reasons.map(byReason)) },
    notes,
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

const COLUMNS: readonly Column<MarketRow>[] = [
  { title: 'RUN', cell: ({ run }) => shortIds(run) },
  { title: 'FUNCTION', cell: (row) => row.function, wrap: true },
  { title: 'IMAGE', cell: ({ image }) => image ?? '', wrap: true },
  { title: 'BID', cell: ({ bid }) => readablePrice(bid), right: true },
  { title: 'ASK', cell: ({ ask }) => (ask === null ? '' : readablePrice(ask)), right: true },
  { title: 'JOBS', cell: ({ jobs }) => String(jobs), right: true },
  { title: 'BASE GPU', cell: ({ baseGpu }) => baseGpu ?? '', wrap: true },
  { title: 'VERDICT', cell: ({ words }) => words, wrap: true },
];

const INDENT = '  ';

type Reason = {
  readonly reason: NonNullable<MarketRow['reason']>;
  readonly words: string;
  readonly runs: number;
};

function totalsOf(rows: readonly MarketRow[]): {
  readonly jobs: number;
  readonly taken: number;
  readonly reasons: readonly Reason[];
} {
  const groups = Map.groupBy(rows, ({ reason }) => reason);
  return {
    jobs: rows.reduce((sum, { jobs }) => sum + jobs, 0),
    taken: rows.filter(({ taken }) => taken > 0).length,
    reasons: [...groups].flatMap(([reason, members]) =>
      reason === null ? [] : [{ reason, words: wordsFor(reason), runs: members.length }],
    ),
  };
}

function wordsFor(reason: Reason['reason']): string {
  if (reason === 'unresolved') return 'not resolved';
  return reason === 'nothing-offered' ? 'nothing is offered' : SKIP_REASONS[reason];
}

function byReason({ reason, runs }: Reason): readonly [string, number] {
  return [reason, runs];
}

function offerLine({ askPrice, gpu, name, slots }: Offer): string {
  const entry = gpu === null ? '' : `, catalogue entry ${gpu.name}`;
  return `offer: ${name}${entry}, ${count(slots.length, 'slot')}, ask ${readablePrice(askPrice)} per job and minute`;
}

/** Wrapped lines, indented below the first. */
function text(lines: readonly string[], page: Page): string {
  return lines
    .flatMap((line) => {
      const [first = '', ...more] = linesOf(line, page, INDENT.length);
      return [first, ...more.map((rest) => `${INDENT}${rest}`)];
    })
    .map((line) => `${line}\n`)
    .join('');
}
