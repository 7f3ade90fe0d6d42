/** From an instant on, an ask in US dollars per job and minute. */
export type AskStep = { readonly from: number; readonly ask: number };

/** An ask that holds all the time, or asks that follow each other in time, the first of which holds before it as well. */
export type Asks = number | readonly AskStep[];

/** A stretch of time with one ask; `until` is not included. */
export type AskStretch = { readonly from: number; readonly until: number; readonly ask: number };

/** The asks from one instant to another, without gaps; neighbours that are the same are joined. Pure. */
export function stretchesOf(asks: Asks, from: number, until: number): readonly AskStretch[] {
  if (typeof asks === 'number') return [{ from, until, ask: asks }];
  const stretches: AskStretch[] = [];
  const steps = asks.toSorted((a, b) => a.from - b.from);
  for (const [index, { ask, from: start }] of steps.entries()) {
    const begin = index === 0 ? from : Math.max(from, start);
    const end = Math.min(until, steps[index + 1]?.from ?? until);
    const last = stretches.at(-1);
    if (end <= begin) continue;
    if (last?.ask === ask) stretches[stretches.length - 1] = { ...last, until: end };
    else stretches.push({ from: begin, until: end, ask });
  }
  return stretches;
}
