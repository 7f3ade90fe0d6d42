import type { MarketKnowledge } from '../../domain/decide.ts';
import { skipReasonOfGpu } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Run } from '../../domain/run.ts';
import type { Openness } from './open-runs.ts';

/** An offer and what its own polls show; undefined: they fail. */
type Polled = { readonly offer: Offer; readonly runs: readonly Run[] | undefined };

/**
 * Tells from the offers' own polls which runs have jobs to claim: the list of the whole market also has runs of which all jobs
 * are taken. An offer's list has every run that is open to it: its bid meets the ask, or others are listed with lower bids.
 */
export function* opennessOf(
  offers: readonly Polled[],
  catalogue: MarketKnowledge['catalogue'],
): Generator<void, Openness> {
  const listed = new Set<string>();
  const complete: { readonly offer: Offer; readonly fromBid: number }[] = [];
  for (const { offer, runs } of offers) {
    if (runs === undefined) continue;
    let fromBid = offer.askPrice;
    for (const { bidPrice, uuid } of runs) {
      listed.add(uuid);
      fromBid = Math.min(fromBid, bidPrice);
      yield;
    }
    complete.push({ offer, fromBid });
  }
  return ({ baseGpu, bid, run }) => {
    if (listed.has(run)) return 'open';
    const isShown = complete.some(
      ({ fromBid, offer }) =>
        bid >= fromBid &&
        (offer.kind === 'cpu' || skipReasonOfGpu({ baseGpu }, offer, catalogue) === undefined),
    );
    return isShown ? 'taken' : 'unknown';
  };
}
