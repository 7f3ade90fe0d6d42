import { z } from 'zod';
import { PRICE_VIEWS } from '../../control-api/price-views.ts';
import { readablePrice } from '../../lib/readable.ts';
import type { Writer } from '../command.ts';
import { localTime, untilText } from '../local-time.ts';
import { type Column, table } from '../table.ts';
import type { Switched } from './switch.ts';

export type Prices = z.output<typeof PRICE_VIEWS.prices>;
/** `isRunning` is false where no agent runs: then the offers are not known. */
export type ShownPrices = { readonly prices: Prices; readonly isRunning: boolean };

/** As JSON, with everything. */
export function pricesJson({ isRunning, prices }: ShownPrices): string {
  const encoded = z.encode(PRICE_VIEWS.prices, prices);
  return `${JSON.stringify({ agentRunning: isRunning, ...encoded }, null, 2)}\n`;
}

/** What offers ask, and the changes before. */
export function pricesText({ isRunning, prices }: ShownPrices, now: number, stdout: Writer): string {
  const { changes, frozen, offers } = prices;
  const parts = [
    isRunning ? '' : 'no agent is running\n',
    frozen === null ? '' : `${frozenText(frozen)}\n`,
    offers.length === 0 ? '' : table(offerColumns(now), offers, stdout),
    changes.length === 0 ? 'no ask was changed yet\n' : table(CHANGE_COLUMNS, changes, stdout),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** What the switch is now. */
export function switchedText({ agentRunning, changed, frozen }: Switched, isJson: boolean): string {
  if (isJson) {
    const encoded = z.encode(PRICE_VIEWS.switched, { changed, frozen });
    return `${JSON.stringify({ agentRunning, ...encoded }, null, 2)}\n`;
  }
  const state = frozen === null ? 'asks may change again' : frozenText(frozen);
  const before = changed ? '' : 'nothing changed: it was so before\n';
  const later = agentRunning ? '' : 'no agent is running: its next start obeys\n';
  return `${before}${state}\n${later}`;
}

function frozenText({ at, by, note }: NonNullable<Prices['frozen']>): string {
  return `all asks are frozen by ${by} since ${localTime(new Date(at))}${note === null ? '' : `: ${note}`}`;
}

function offerColumns(now: number): readonly Column<Prices['offers'][number]>[] {
  return [
    { title: 'OFFER', cell: ({ offer }) => offer, wrap: true },
    { title: 'ASK', cell: ({ ask }) => readablePrice(ask), right: true },
    { title: 'STRATEGY', cell: ({ strategy }) => strategy },
    { title: 'FLOOR', cell: ({ floor }) => priceOr(floor), right: true },
    { title: 'LIMITS', cell: limitsText },
    { title: 'SINCE', cell: ({ since }) => (since === null ? '-' : localTime(new Date(since))) },
    { title: 'WHY', cell: ({ holdWhy, why }) => holdWhy ?? why ?? 'the configuration asks so', wrap: true },
    {
      title: 'NEXT CHANGE',
      cell: ({ nextChangeAt }) => (nextChangeAt === null ? '-' : untilText(nextChangeAt, now)),
    },
  ];
}

const CHANGE_COLUMNS: readonly Column<Prices['changes'][number]>[] = [
  { title: 'CHANGED', cell: ({ at }) => localTime(new Date(at)) },
  { title: 'OFFER', cell: ({ offer }) => offer, wrap: true },
  { title: 'FROM', cell: ({ before }) => readablePrice(before), right: true },
  { title: 'TO', cell: ({ ask }) => readablePrice(ask), right: true },
  { title: 'STRATEGY', cell: ({ strategy }) => strategy },
  {
    title: 'WHY',
    cell: ({ limitedBy, why }) => (limitedBy === null ? why : `${why}; kept at the limit: ${limitedBy}`),
    wrap: true,
  },
];

function priceOr(price: number | null): string {
  return price === null ? '-' : readablePrice(price);
}

function limitsText({ max, min }: Prices['offers'][number]): string {
  return min === null && max === null ? '-' : `${priceOr(min)} to ${priceOr(max)}`;
}
