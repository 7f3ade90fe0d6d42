import type { Offer } from '../../domain/offer.ts';
import type { OfferState } from '../../domain/ports/market-history.ts';
import type { Run } from '../../domain/run.ts';
import type { OfferWorker } from '../market/offer-worker.ts';

/** An offer of this host as the market history sees it. */
export type RecordedOffer = {
  readonly offer: Offer;
  /** Whether it could take jobs now, or has them. */
  readonly state: OfferState;
  /** What its own polls show; undefined: they fail. */
  readonly runs: readonly Run[] | undefined;
};

type Worker = Pick<OfferWorker, 'offer' | 'openSlots' | 'slotStates'> & {
  readonly poller: Pick<OfferWorker['poller'], 'runs'>;
};

/** This host's offers for the market history. `mayClaim`: nothing of this host keeps all of them from jobs. */
export function recordedOffers(workers: readonly Worker[], mayClaim: boolean): readonly RecordedOffer[] {
  return workers.map((worker) => ({
    offer: worker.offer,
    state: stateOf(worker, mayClaim),
    runs: worker.poller.runs,
  }));
}

function stateOf({ openSlots, poller, slotStates }: Worker, mayClaim: boolean): OfferState {
  if (openSlots === 0) return slotStates.held > 0 ? 'paused' : 'offline';
  const { free, used, waiting } = slotStates;
  const isUp = mayClaim && poller.runs !== undefined && free + used + waiting > 0;
  return isUp ? 'online' : 'offline';
}
