import type { MarketSight } from './agent/pricing/pricer.ts';
import type { Config } from './config/config.ts';
import { backtestInput, type MarketPast } from './control/backtest-input.ts';
import { readPast } from './control/market-past.ts';
import { decide, type MarketKnowledge } from './domain/decide.ts';
import { asAgentError } from './domain/errors.ts';
import type { Offer, OfferPlan } from './domain/offer.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { MarketHistory } from './domain/ports/market-history.ts';
import type { OwnJobs } from './journal/own-jobs.ts';
import type { Log } from './lib/log.ts';
import { inSlices, type Steps } from './lib/slices.ts';
import { LIMITS } from './limits.ts';
import { SqliteMarketHistory } from './market-history/sqlite-market-history.ts';
import type { SeenRun } from './pricing/backtest/observed.ts';
import { openRunOf } from './pricing/backtest/rules.ts';
import { ADVICE_DAYS } from './pricing/strategy/advise.ts';

/* The part of the composition root for the market history. */

const DAY_MS = 86_400_000;
/** Without a poll for so long, what is known is out of date. */
const STALE_MS = 15 * 60_000;
/** What was seen in less than this says nothing. */
const ENOUGH_MS = 3_600_000;
/** Asks of others count for so long. */
const ASKS_MS = 2 * 3_600_000;

/** The market history, which opens its file when it is first used; undefined: it is off. */
export function openMarketHistory(
  config: Pick<Config, 'brokerUrl' | 'marketHistorySize'>,
  directory: string,
  log: Log,
): SqliteMarketHistory | undefined {
  if (config.marketHistorySize === 0) return undefined;
  return new SqliteMarketHistory({
    directory,
    broker: new URL(config.brokerUrl).href,
    maxBytes: config.marketHistorySize,
    onReplaced: (why) =>
      log.warn(
        { event: 'market-history-replaced' },
        `a new market history was begun, the old one is market.db.old: ${why}`,
      ),
  });
}

/** What the reads of the market history need beside it. */
export type MarketReads = {
  readonly history: MarketHistory;
  readonly ownJobs: Pick<OwnJobs, 'between'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly knowledge: () => Pick<MarketKnowledge, 'catalogue' | 'images'>;
};

/** What strategies may know of the market of an offer; undefined: too little, or the market history cannot be read. */
export async function marketSight(reads: MarketReads, plan: OfferPlan): Promise<MarketSight | undefined> {
  const until = reads.clock.now();
  const known = await unlessUnusable(knownOf(reads.history, plan, until));
  if (known?.lastPoll === undefined) return undefined;
  const start = Math.max(until - ADVICE_DAYS * DAY_MS, known.past.knownFrom);
  if (!(until - start >= ENOUGH_MS)) return undefined;
  const jobs = await inSlices(reads.ownJobs.between(start, until));
  const offer = { ...plan, instance: '' };
  const knowledge = reads.knowledge();
  const input = backtestInput({
    from: start,
    until,
    asks: [],
    offer,
    jobs,
    past: known.past,
    changes: [],
    knowledge,
    floor: undefined,
    costPerMinute: undefined,
    brokerFee: 0,
  });
  const { observed } = await inSlices(input);
  const seen = await inSlices(suitable(observed.seen, offer, knowledge));
  return {
    others: known.others,
    observed: () => ({ ...observed, seen }),
    isStale: until - known.lastPoll > STALE_MS,
  };
}

type Known = {
  readonly past: MarketPast;
  readonly lastPoll: number | undefined;
  readonly others: readonly number[];
};

/** What the market history has of the market of an offer. */
function* knownOf(history: MarketHistory, plan: OfferPlan, until: number): Generator<void | 'long', Known> {
  const from = until - ADVICE_DAYS * DAY_MS;
  const { lastPoll } = history.coverage(plan.key, { from, until });
  const past = yield* readPast(history, plan, from, until, LIMITS.host.strategyRuns.max);
  return { past, lastPoll, others: othersOf(history, plan, until) };
}

/** The recorder logs why. */
async function unlessUnusable<T>(steps: Steps<T>): Promise<T | undefined> {
  try {
    return await inSlices(steps);
  } catch (thrown) {
    if (asAgentError(thrown).code === 'STATE_DIR_UNUSABLE') return undefined;
    throw thrown;
  }
}

/** Each ask of another host for the same kind of GPU, at the last time that was polled. */
function othersOf(history: MarketHistory, { gpu }: OfferPlan, until: number): readonly number[] {
  const counts = history.asks(gpu?.name ?? 'cpu', { from: until - ASKS_MS, until: until + 1 });
  const last = counts.at(-1)?.at;
  return counts
    .filter(({ at }) => at === last)
    .flatMap(({ ask, offers }) => Array.from({ length: offers }, () => ask));
}

/** The runs that the offer could take at some ask, by the rules of claims; not those whose function is not looked up yet. */
function* suitable(
  runs: readonly SeenRun[],
  offer: Offer,
  knowledge: Pick<MarketKnowledge, 'catalogue' | 'images'>,
): Generator<void, readonly SeenRun[]> {
  const free = { ...offer, askPrice: 0 };
  const rules = {
    offer: free,
    knowledge: { ...knowledge, imageState: () => 'ready' as const, backoff: { get: () => undefined } },
  };
  const answers = new Map<string, boolean>();
  const isTaken = (run: SeenRun): boolean => {
    const key = `${run.image}\n${run.baseGpu}`;
    const before = answers.get(key);
    if (before !== undefined) return before;
    const open = openRunOf('', { ...run, bid: 0, at: 0 }, 1, rules);
    const answer = decide([open], free, 1, rules.knowledge, 0).some(({ kind }) => kind === 'take');
    answers.set(key, answer);
    return answer;
  };
  const found: SeenRun[] = [];
  for (const run of runs) {
    if (run.isUnsuitable !== true && run.image !== '' && isTaken(run)) found.push(run);
    yield;
  }
  return found;
}
