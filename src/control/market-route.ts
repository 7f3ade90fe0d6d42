import type { MarketView, SeenVerdict } from '../agent/market/market-view.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import { SKIP_REASONS } from '../domain/decide.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { Run } from '../domain/run.ts';
import { sharedFor } from '../lib/cached.ts';
import { readablePrice } from '../lib/readable.ts';
import { inSlices, type Steps } from '../lib/slices.ts';

/** Views that ask at about the same time get the same answer. */
const SHARED_MS = 2_000;
/** Beyond this a JavaScript date has no text. */
const LAST_INSTANT = 8.64e15;

export type MarketParts = {
  readonly agent: { viewMarket(): Steps<MarketView> };
  readonly clock: Pick<Clock, 'monotonic'>;
};

/** The open runs, and why each offer does not take them. */
export function marketRoute({ agent, clock }: MarketParts): Route {
  const compute = sharedFor(
    SHARED_MS,
    () => clock.monotonic(),
    () => inSlices(agent.viewMarket()),
  );
  return route(ENDPOINTS.market, async () => {
    const { at, leftOut, runs, skipped } = await compute();
    return {
      at: at ?? null,
      runs: runs.map(({ open, verdicts }) => ({
        run: open.run.uuid,
        function: open.function?.name ?? (open.run.functionName || null),
        image: open.function?.registryPath ?? null,
        bid: open.run.bidPrice,
        openJobs: open.run.numJobs,
        createdAt: Math.abs(open.run.createdAt) <= LAST_INSTANT ? open.run.createdAt : null,
        verdicts: verdicts.map((verdict) => ({
          offer: verdict.offer.key,
          reason: verdict.reason ?? null,
          what: whatOf(verdict, open.run),
        })),
      })),
      leftOut,
      skipped: skipped.map(({ offer, reason, runs: count }) => ({ offer: offer.key, reason, runs: count })),
    };
  });
}

/** The reason in words, with its figures; null: jobs of it are taken. Pure. */
export function whatOf({ offer, reason }: SeenVerdict, run: Run): string | null {
  if (reason === undefined) return null;
  const what = SKIP_REASONS[reason];
  if (reason === 'bid-below-ask')
    return `${what}: bid ${readablePrice(run.bidPrice)}, ask ${readablePrice(offer.askPrice)} per minute`;
  if (reason === 'gpu-too-small' || reason === 'gpu-unknown') return `${what}: ${run.baseGpuName}`;
  return what;
}
