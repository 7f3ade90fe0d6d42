import type { Backtest } from './answers.ts';
import type { Formats } from './format.ts';

type Figures = NonNullable<Backtest['offers'][number]['figures']>;
type Ask = Figures['asks'][number];
type Range = Ask['jobs'];

/** What a backtest shows of an ask in words, and its range as parts of the highest, from 0 to 1. */
export type BacktestRow = {
  readonly ask: string;
  readonly cells: readonly string[];
  readonly range: string;
  readonly low: number;
  readonly median: number;
  readonly high: number;
};

export const BACKTEST_COLUMNS = ['Ask', 'Earned', 'Net', 'Jobs', 'Busy', 'Extrapolated'] as const;

/** The rows of a table and a plot; the plot shows the net where it is known. Pure. */
export function backtestRows({ asks }: Pick<Figures, 'asks'>, formats: Formats): readonly BacktestRow[] {
  const { count, money, percent, price } = formats;
  const most = asks.reduce((max, ask) => Math.max(max, shownOf(ask).high), 0);
  const part = (value: number): number => (most <= 0 ? 0 : Math.min(Math.max(value / most, 0), 1));
  const dollars = (of: Range): string => rangeText(of, (value) => money(value / 1_000_000));
  return asks.map((ask) => {
    const { high, low, median } = shownOf(ask);
    const { busyShare, earnedMicroDollars, extrapolatedShare, inForce, jobs, netMicroDollars } = ask;
    const name = `${price(ask.ask)}${inForce ? ' (now)' : ''}`;
    return {
      ask: name,
      cells: [
        name,
        dollars(earnedMicroDollars),
        netMicroDollars === null ? '' : dollars(netMicroDollars),
        rangeText(jobs, count),
        rangeText(busyShare, (share) => percent(share * 100)),
        percent(extrapolatedShare * 100),
      ],
      range: dollars(shownOf(ask)),
      low: part(low),
      median: part(median),
      high: part(high),
    };
  });
}

function shownOf({ earnedMicroDollars, netMicroDollars }: Ask): Range {
  return netMicroDollars ?? earnedMicroDollars;
}

/** A range whose ends look the same is one figure. */
function rangeText({ high, low, median }: Range, show: (value: number) => string): string {
  const [first, middle, last] = [show(low), show(median), show(high)];
  return first === last ? middle : `${first} to ${last}`;
}
