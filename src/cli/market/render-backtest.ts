import type { z } from 'zod';
import type { VIEWS } from '../../control-api/views.ts';
import { readablePrice } from '../../lib/readable.ts';
import { dollars } from '../../pricing/money.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';

type Shown = z.output<typeof VIEWS.backtest>;
type Offer = Shown['offers'][number];
type Figures = NonNullable<Offer['figures']>;
type Ask = Figures['asks'][number];
type Range = Ask['jobs'];

/** What no replay knows, so that nobody takes the figures for more than they are. */
export const UNKNOWN = [
  'Not known, and drawn at random for each range: how jobs that others ran would have gone here, what came and went between two polls, how long own runs would have stayed open, and which races this host would have won.',
  'Not in any figure: other hosts may change their asks when this one does.',
] as const;

const PLOT_WIDTH = 24;

/** The backtest as JSON. */
export function backtestJson({ from, offers, until }: Shown): string {
  const shown = { from: iso(from), until: iso(until), offers, unknown: UNKNOWN };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

/** The backtest as a table and a plot for each offer. */
export function backtestText({ from, offers, until }: Shown, page: Page): string {
  const parts = offers.map((offer) => `${offerText(offer, { from, until }, page)}\n`);
  const isAnyShown = offers.some(({ figures }) => figures !== null);
  return parts.join('') + (isAnyShown ? text(UNKNOWN, page) : '');
}

function offerText(
  { askNow, figures, floor, offer, refused, slots }: Offer,
  { from, until }: Pick<Shown, 'from' | 'until'>,
  page: Page,
): string {
  const head = `${offer}: ${count(slots, 'slot')}, ask ${readablePrice(askNow)} per job and minute${floor === null ? '' : `, floor ${readablePrice(floor)}`}`;
  if (refused !== null)
    return text([head, `${refused.code}: ${refused.message}`, `hint: ${refused.hint}`], page);
  if (figures === null) return text([head], page);
  const { asks, coverage, earnedMicroDollars, ownJobs, replayedMicroDollars, runs } = figures;
  const most = asks.reduce((max, ask) => Math.max(max, valueOf(ask).high), 0);
  const lines = [
    head,
    `from ${iso(from)} to ${iso(until)}: ${count(runs, 'run')} seen, coverage ${percent(coverage)}`,
    `earned ${money(earnedMicroDollars)} with ${count(ownJobs, 'job')}; the replay at the asks in force says ${money(replayedMicroDollars)}`,
  ];
  const columns = [
    ...COLUMNS,
    { title: `0 TO ${money(most)}`, cell: (ask: Ask) => plot(valueOf(ask), most) },
  ];
  return `${text(lines, page)}\n${table(columns, asks, page)}\n${text(walkText(figures, askNow), page)}`;
}

const COLUMNS: readonly Column<Ask>[] = [
  { title: 'ASK', cell: ({ ask, inForce }) => `${readablePrice(ask)}${inForce ? ' (now)' : ''}`, wrap: true },
  { title: 'EARNED', cell: ({ earnedMicroDollars: earned }) => moneyRange(earned), right: true },
  { title: 'NET', cell: ({ netMicroDollars: net }) => (net === null ? '' : moneyRange(net)), right: true },
  { title: 'JOBS', cell: ({ jobs }) => range(jobs, (value) => String(Math.round(value))), right: true },
  { title: 'BUSY', cell: ({ busyShare }) => range(busyShare, percent), right: true },
  { title: 'EXTRAPOLATED', cell: ({ extrapolatedShare }) => percent(extrapolatedShare), right: true },
];

function walkText({ asks, walkForward: walk }: Figures, askNow: number): readonly string[] {
  if (walk === null) return [];
  const what = asks[0]?.netMicroDollars === null ? 'earned' : 'left';
  const floor = walk.floorMicroDollars === null ? '' : `, and the floor ${money(walk.floorMicroDollars)}`;
  return [
    `Chosen on past days and scored on the next, the best of these asks has ${what} ${money(walk.chosenMicroDollars)} on ${count(walk.days, 'day')}, ${readablePrice(walk.lastAsk)} last; ${readablePrice(askNow)} ${money(walk.askNowMicroDollars)}${floor}.`,
  ];
}

/** What the plot shows: the net where it is known. */
function valueOf({ earnedMicroDollars, netMicroDollars }: Ask): Range {
  return netMicroDollars ?? earnedMicroDollars;
}

/** A range as `  [---|--]`, from 0 to the most. Pure. */
function plot({ high, low, median }: Range, most: number): string {
  if (most <= 0) return '';
  const at = (value: number): number =>
    Math.round((Math.min(Math.max(value, 0), most) / most) * (PLOT_WIDTH - 1));
  const cells = Array.from({ length: at(high) + 1 }, (_, cell) => {
    if (cell === at(median)) return '|';
    if (cell === at(low)) return '[';
    if (cell === at(high)) return ']';
    return cell > at(low) ? '-' : ' ';
  });
  return cells.join('');
}

/** A range whose ends look the same is one figure. */
function range({ high, low, median }: Range, show: (value: number) => string): string {
  const [first, middle, last] = [show(low), show(median), show(high)];
  return first === last ? middle : `${first} to ${last}`;
}

function moneyRange(of: Range): string {
  return range(of, money);
}

function money(microDollars: number): string {
  const amount = dollars(Math.abs(microDollars)).toFixed(2);
  return `${microDollars < 0 && amount !== '0.00' ? '-' : ''}$${amount}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

function text(lines: readonly string[], page: Page): string {
  return lines
    .flatMap((line) => linesOf(line, page))
    .map((line) => `${line}\n`)
    .join('');
}
