import type { z } from 'zod';
import type { OfferView } from '../agent/owner/overview.ts';
import type { PricedOfferView } from '../agent/pricing/pricer.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Call, type Route, route } from '../control-api/route.ts';
import type { VIEWS } from '../control-api/views.ts';
import type { MarketKnowledge } from '../domain/decide.ts';
import { AgentError, ERROR_KINDS } from '../domain/errors.ts';
import type { Offer } from '../domain/offer.ts';
import { parallelJobsOf } from '../domain/offer.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { PriceChange } from '../domain/ports/price-store.ts';
import type { JournaledJob, OwnJobs } from '../journal/own-jobs.ts';
import { OneAtATime } from '../lib/one-at-a-time.ts';
import { inSlices, type Steps } from '../lib/slices.ts';
import { LIMITS } from '../limits.ts';
import { type AskOutcome, type Backtest, backtest } from '../pricing/backtest/backtest.ts';
import type { Electricity } from '../pricing/electricity.ts';
import { costPerMinuteOf } from './backtest-cost.ts';
import { type BacktestParts, backtestInput, type MarketPast } from './backtest-input.ts';
import { numberIn } from './query.ts';

const DEFAULT_DAYS = 7;
const DAY_MS = 86_400_000;
/** By default the ask now and these times it. */
const AROUND = [0.6, 0.8, 1, 1.25, 1.6];
const MAX_ASK = 1_000;
const MAX_CHANGES = 10_000;

/** What an offer’s jobs cost, as far as it is known. */
type OfferMoney = Pick<BacktestParts, 'brokerFee' | 'costPerMinute' | 'floor'>;

export type BacktestRouteParts = {
  readonly agent: {
    readonly overview: { glance(): { readonly offers: readonly Pick<OfferView, 'offer'>[] } };
    readonly catalogue: MarketKnowledge['catalogue'];
    readonly pricer: { readonly views: readonly Pick<PricedOfferView, 'cost' | 'offer'>[] };
  };
  readonly journal: {
    readonly ownJobs: Pick<OwnJobs, 'between'>;
    readonly prices: { changes(limit: number): readonly Pick<PriceChange, 'ask' | 'at' | 'offer'>[] };
  };
  readonly clock: Pick<Clock, 'now'>;
  readonly settings: { readonly loaded: () => { readonly config: { readonly images: readonly string[] } } };
  /** What the market history knows of the market of an offer; absent: it is off. */
  readonly marketPast?: ((offer: Offer, from: number, until: number) => Steps<MarketPast>) | undefined;
  /** What power costs here; absent: not known. */
  readonly electricity?: Electricity | undefined;
};

type Answer = z.output<typeof VIEWS.backtest>;
type OfferAnswer = Answer['offers'][number];

/** What other asks would have earned. Another backtest waits: each takes up to some seconds of the event loop, in slices. */
export function backtestRoute(parts: BacktestRouteParts): Route {
  const turns = new OneAtATime();
  return route(ENDPOINTS.backtest, async (call) => {
    const asks = asksIn(call);
    const days = numberIn(call, 'days', 1, LIMITS.host.backtestDays.max) ?? DEFAULT_DAYS;
    using _ = await turns.turn();
    call.signal.throwIfAborted();
    const until = parts.clock.now();
    const from = until - days * DAY_MS;
    const jobs = await inSlices(parts.journal.ownJobs.between(from, until));
    const offers: OfferAnswer[] = [];
    const refusals: AgentError[] = [];
    for (const { offer } of parts.agent.overview.glance().offers) {
      const tried = asks.length === 0 ? around(offer.askPrice) : asks;
      const answer = await answerFor(offer, { parts, asks: tried, from, until, jobs, signal: call.signal });
      if (answer instanceof AgentError) refusals.push(answer);
      offers.push(
        answer instanceof AgentError ? refused(offer, moneyOf(parts, offer, jobs), answer) : answer,
      );
    }
    const [first] = refusals;
    if (first !== undefined && refusals.length === offers.length) throw first;
    if (offers.length === 0)
      throw new AgentError('BACKTEST_TOO_LITTLE', 'this host offers nothing now', {
        hint: 'see `sharedcloud-agent status` for why, and ask again when it does',
      });
    return { from, until, offers };
  });
}

/** The asks of a request, lowest first, each once; none: those around the ask now. Throws CONTROL_INVALID. */
function asksIn({ query }: Pick<Call<unknown>, 'query'>): readonly number[] {
  const texts = query.getAll('ask').flatMap((text) => text.split(','));
  const asks = [...new Set(texts.map(Number))];
  const isValid = texts.every((text) => text.trim() !== '') && asks.every((ask) => ask > 0 && ask <= MAX_ASK);
  if (isValid && asks.length <= LIMITS.host.backtestAsks.max) return asks.toSorted((a, b) => a - b);
  throw new AgentError(
    'CONTROL_INVALID',
    `ask has to be up to ${LIMITS.host.backtestAsks.max} prices above 0 and at most ${MAX_ASK}, in US dollars per minute`,
    { hint: 'write them with a point and commas between them: --ask 0.03,0.05,0.08' },
  );
}

function around(ask: number): readonly number[] {
  return AROUND.map((times) => (times === 1 ? ask : Number((ask * times).toPrecision(3))));
}

type Asked = {
  readonly parts: BacktestRouteParts;
  readonly asks: readonly number[];
  readonly from: number;
  readonly until: number;
  readonly jobs: readonly JournaledJob[];
  readonly signal: AbortSignal;
};

async function answerFor(offer: Offer, asked: Asked): Promise<OfferAnswer | AgentError> {
  const { from, parts, signal, until } = asked;
  const money = moneyOf(parts, offer, asked.jobs);
  try {
    if (parts.marketPast === undefined)
      throw new AgentError('BACKTEST_TOO_LITTLE', 'the market history is off', {
        hint: 'set --market-history-size to more than 0, restart the agent, and ask again after a day',
      });
    const past = await inSlices(parts.marketPast(offer, from, until));
    const changes = parts.journal.prices.changes(MAX_CHANGES).filter((change) => change.offer === offer.key);
    const knowledge = {
      catalogue: parts.agent.catalogue,
      images: parts.settings.loaded().config.images,
    };
    const input = await inSlices(backtestInput({ ...asked, ...money, offer, past, changes, knowledge }));
    const found = await inSlices(unless(signal, backtest(input)));
    return { ...head(offer, money), figures: figuresOf(found, offer.askPrice), refused: null };
  } catch (thrown) {
    if (thrown instanceof AgentError && REFUSALS.has(thrown.code)) return thrown;
    throw thrown;
  }
}

function moneyOf(
  { agent, electricity }: BacktestRouteParts,
  { key }: Offer,
  jobs: readonly JournaledJob[],
): OfferMoney {
  const cost = agent.pricer.views.find((view) => view.offer === key)?.cost;
  const own = jobs.filter((job) => job.offer === key);
  return {
    brokerFee: electricity?.brokerFee ?? 0,
    costPerMinute: costPerMinuteOf(own, electricity, cost?.costPerMinute),
    floor: cost?.floor,
  };
}

const REFUSALS: ReadonlySet<string> = new Set(['BACKTEST_TOO_LITTLE', 'BACKTEST_UNCALIBRATED']);

/** Ends with the reason of the signal once the caller has gone. */
function* unless<T>(signal: AbortSignal, steps: Iterator<void, T>): Generator<void, T> {
  for (;;) {
    signal.throwIfAborted();
    const step = steps.next();
    if (step.done === true) return step.value;
    yield;
  }
}

function head(
  offer: Offer,
  { floor }: OfferMoney,
): Pick<OfferAnswer, 'askNow' | 'floor' | 'offer' | 'slots'> {
  return { offer: offer.key, slots: parallelJobsOf(offer), askNow: offer.askPrice, floor: floor ?? null };
}

function refused(offer: Offer, money: OfferMoney, { code, hint, message }: AgentError): OfferAnswer {
  return {
    ...head(offer, money),
    figures: null,
    refused: { code, message, hint: hint ?? ERROR_KINDS[code].hint },
  };
}

function figuresOf(
  { asks, coverage, draws, own, runs, walkForward: walk }: Backtest,
  askNow: number,
): OfferAnswer['figures'] {
  return {
    coverage,
    ownJobs: own.jobs,
    earnedMicroDollars: own.earned,
    replayedMicroDollars: own.replayed,
    runs,
    draws,
    asks: asks.map((one) => askOf(one, askNow)),
    walkForward:
      walk === undefined
        ? null
        : {
            days: walk.days,
            chosenMicroDollars: walk.chosen,
            lastAsk: walk.last,
            askNowMicroDollars: walk.today,
            floorMicroDollars: walk.floor ?? null,
          },
  };
}

function askOf(
  { ask, busyShare, earned, extrapolated, jobs, net }: AskOutcome,
  askNow: number,
): NonNullable<OfferAnswer['figures']>['asks'][number] {
  return {
    ask,
    inForce: ask === askNow,
    earnedMicroDollars: earned,
    netMicroDollars: net ?? null,
    jobs,
    busyShare,
    extrapolatedShare: extrapolated,
  };
}
