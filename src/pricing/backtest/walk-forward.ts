import type { MicroDollars } from '../money.ts';

/** What an ask brought on each day. */
export type DaysAtAsk = { readonly ask: number; readonly days: readonly MicroDollars[] };

/** The best ask of the days before each day, scored on that day, and what fixed asks brought on the same days. */
export type WalkForward = {
  /** Of the days that were scored: all but the first. */
  readonly days: number;
  readonly chosen: MicroDollars;
  /** The ask that all days but the last would have chosen. */
  readonly last: number;
  readonly today: MicroDollars;
  /** Undefined: no floor is known. */
  readonly floor: MicroDollars | undefined;
};

/**
 * Chooses on past days and scores on the next, so that an ask that was best by luck shows. Undefined with fewer than two
 * days. Pure.
 */
export function walkForward(
  asks: readonly DaysAtAsk[],
  today: DaysAtAsk,
  floor: DaysAtAsk | undefined,
): WalkForward | undefined {
  const days = today.days.length;
  const [first] = asks;
  if (days < 2 || first === undefined) return undefined;
  const sums = asks.map(() => 0);
  let [chosen, last] = [0, first.ask];
  for (let day = 0; day < days; day += 1) {
    if (day > 0) {
      const best = asks[indexOfMax(sums)] ?? first;
      chosen += best.days[day] ?? 0;
      last = best.ask;
    }
    for (const [index, one] of asks.entries()) sums[index] = (sums[index] ?? 0) + (one.days[day] ?? 0);
  }
  const after = (one: DaysAtAsk): number => one.days.slice(1).reduce((sum, net) => sum + net, 0);
  return { days: days - 1, chosen, last, today: after(today), floor: floor && after(floor) };
}

function indexOfMax(values: readonly number[]): number {
  let best = 0;
  for (const [index, value] of values.entries()) if (value > (values[best] ?? value)) best = index;
  return best;
}
