import type { SkipReason, Verdict } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { OpenRun } from '../../domain/run.ts';
import { sortInSteps } from '../../domain/sort-in-steps.ts';
import type { Steps } from '../../lib/slices.ts';
import { LIMITS } from '../../limits.ts';

/** What an offer makes of a run; `reason` undefined: it takes jobs of it. */
export type SeenVerdict = { readonly offer: Offer; readonly reason: SkipReason | undefined };

/** The market as the offers see it, with the best bids. */
export type MarketView = {
  /** When the broker last answered, by the wall clock in milliseconds; undefined: not yet. */
  readonly at: number | undefined;
  readonly runs: readonly { readonly open: OpenRun; readonly verdicts: readonly SeenVerdict[] }[];
  /** How many runs have lower bids than those. */
  readonly leftOut: number;
  readonly skipped: readonly { readonly offer: Offer; readonly reason: SkipReason; readonly runs: number }[];
};

/** An offer that polls and decides. */
type Viewed = {
  readonly offer: Offer;
  readonly poller: { readonly answeredAt: number | undefined };
  verdicts(): Generator<void, readonly Verdict[]>;
};

/** Decides for every run and offer as the claim loops would, and keeps nothing: only a view asks, and seldom. */
export function* viewMarket(workers: readonly Viewed[]): Steps<MarketView> {
  const decided: { readonly offer: Offer; readonly verdicts: readonly Verdict[] }[] = [];
  const all = new Map<string, OpenRun>();
  const skipped: MarketView['skipped'][number][] = [];
  for (const worker of workers) {
    const verdicts = yield* worker.verdicts();
    const counts = new Map<SkipReason, number>();
    for (const verdict of verdicts) {
      all.set(verdict.open.run.uuid, verdict.open);
      if (verdict.kind === 'skip') counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
      yield;
    }
    decided.push({ offer: worker.offer, verdicts });
    for (const [reason, runs] of counts) skipped.push({ offer: worker.offer, reason, runs });
  }
  const ranked = yield* sortInSteps([...all.values()], byBid);
  const shown = new Map(
    ranked
      .slice(0, LIMITS.host.listedRuns.max)
      .map((open): [string, { open: OpenRun; verdicts: SeenVerdict[] }] => [
        open.run.uuid,
        { open, verdicts: [] },
      ]),
  );
  for (const { offer, verdicts } of decided)
    for (const verdict of verdicts) {
      const reason = verdict.kind === 'skip' ? verdict.reason : undefined;
      shown.get(verdict.open.run.uuid)?.verdicts.push({ offer, reason });
      yield;
    }
  const answers = workers.flatMap(({ poller }) => poller.answeredAt ?? []);
  return {
    at: answers.length === 0 ? undefined : Math.max(...answers),
    runs: [...shown.values()],
    leftOut: all.size - shown.size,
    skipped: skipped.toSorted((a, b) => b.runs - a.runs),
  };
}

/** The best bids first, then the oldest. */
function byBid({ run: a }: OpenRun, { run: b }: OpenRun): number {
  return b.bidPrice - a.bidPrice || a.createdAt - b.createdAt || (a.uuid < b.uuid ? -1 : 1);
}
