import { languageOf } from '../domain/language.ts';
import type { Offer } from '../domain/offer.ts';
import { LIMITS } from '../limits.ts';
import type { SeenRun } from '../pricing/backtest/observed.ts';
import type { MarketPast } from './backtest-input.ts';

type Span = { readonly from: number; readonly until: number };

/** What is read of the market history. Runs as the broker listed them; `known` undefined: nothing of their function. */
export type PastReader = {
  observed(
    span: Span,
    limit: number,
  ): Generator<
    'long',
    {
      readonly runs: readonly (Pick<SeenRun, 'bid' | 'firstSeen' | 'function' | 'jobs' | 'lastSeen' | 'run'> &
        PastRun)[];
      readonly completeFrom: number;
    }
  >;
  coverage(
    offer: string,
    span: Span,
  ): {
    readonly knownFrom: number | undefined;
    readonly online: readonly Span[];
    readonly paused: readonly Span[];
  };
};

type PastRun = {
  readonly baseGpu: string | null;
  readonly known:
    | { readonly image: string | null; readonly runtime: string; readonly requiresGpu: boolean }
    | undefined;
};

/** What the market history knows of the market of an offer, of at most so many runs. A `yield` follows each small step. */
export function* readPast(
  history: PastReader,
  offer: Pick<Offer, 'key' | 'kind'>,
  from: number,
  until: number,
  limit: number = LIMITS.host.backtestRuns.max,
): Generator<void | 'long', MarketPast> {
  const span = { from, until };
  const { knownFrom, online, paused } = history.coverage(offer.key, span);
  const { completeFrom, runs } = yield* history.observed(span, limit);
  const seen: SeenRun[] = [];
  for (const { known, ...run } of runs) {
    const isUnsuitable = known !== undefined && !isFor(offer, known);
    seen.push({ ...run, image: known?.image ?? '', isUnsuitable });
    yield;
  }
  // Before it was polled first, and before what was read, nothing is known.
  return { runs: seen, knownFrom: Math.max(knownFrom ?? until, completeFrom), online, paused };
}

function isFor(
  { kind }: Pick<Offer, 'kind'>,
  { image, requiresGpu, runtime }: NonNullable<PastRun['known']>,
): boolean {
  return image !== null && languageOf(runtime) !== undefined && requiresGpu === (kind === 'gpu');
}
