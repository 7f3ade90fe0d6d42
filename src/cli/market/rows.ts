import {
  decide,
  type MarketKnowledge,
  SKIP_REASONS,
  type SkipReason,
  type Verdict,
} from '../../domain/decide.ts';
import type { Offer, Slot } from '../../domain/offer.ts';
import type { OpenRun } from '../../domain/run.ts';
import { count } from '../count.ts';
import type { SlotTimes } from './slot-times.ts';

/** What this host would do about one run. Prices in US dollars per job and minute. */
export type MarketRow = {
  readonly run: string;
  readonly function: string;
  /** Null if the run was not resolved. */
  readonly image: string | null;
  readonly bid: number;
  /** The ask of the offer that takes it, or came closest to; null if nothing is offered. */
  readonly ask: number | null;
  readonly jobs: number;
  /** The smallest sufficient GPU; null if any is, or none is needed. */
  readonly baseGpu: string | null;
  /** How many of its jobs would be claimed at once. */
  readonly taken: number;
  /** The names of the offers that would claim them. */
  readonly offers: readonly string[];
  /** Why none of its jobs would be claimed; null if some would. */
  readonly reason: SkipReason | 'nothing-offered' | null;
  /** The verdict for people. */
  readonly words: string;
};

/** Of no consequence: every backoff here lasts for ever. */
const NOW = 0;
const REASONS: readonly string[] = Object.keys(SKIP_REASONS);

/** What the offers would do about each run if all their slots were free. Taken runs come first. Pure. */
export function rowsFor(
  runs: readonly OpenRun[],
  offers: readonly Offer[],
  knowledge: MarketKnowledge,
  times?: SlotTimes,
): readonly MarketRow[] {
  const verdicts = new Map<string, { readonly offer: Offer; readonly verdict: Verdict }[]>();
  for (const offer of offers) {
    const slots = usableSlots(offer, knowledge);
    const windows = times && { leftMs: slots.map(times.leftMs), expectedMs: times.expectedMs };
    const { chancePaid } = times ?? {};
    const known = { ...knowledge, ...(windows && { windows }), ...(chancePaid && { chancePaid }) };
    for (const verdict of decide(runs, offer, slots.length, known, NOW)) {
      const { uuid } = verdict.open.run;
      const before = verdicts.get(uuid);
      if (before === undefined) verdicts.set(uuid, [{ offer, verdict }]);
      else before.push({ offer, verdict });
    }
  }
  return runs
    .map((open) => rowOf(open, verdicts.get(open.run.uuid) ?? [], offers.length))
    .sort(byTakenThenBid);
}

/** The runs that pass every check that needs no look-up, best bid first. Pure. */
export function worthResolving(
  runs: readonly OpenRun[],
  offers: readonly Offer[],
  knowledge: MarketKnowledge,
): readonly OpenRun[] {
  const passed = offers.flatMap((offer) =>
    decide(runs, offer, offer.slots.length, knowledge, NOW).filter(
      (verdict) => verdict.kind === 'skip' && verdict.reason === 'unresolved',
    ),
  );
  return [...new Set(passed.map(({ open }) => open))].sort(byBid);
}

/** Orders runs by bid, best first. */
export function byBid(a: OpenRun, b: OpenRun): number {
  return b.run.bidPrice - a.run.bidPrice;
}

/** The slots of an offer if no job ran here. */
function usableSlots({ slots }: Offer, { shortOfMemory }: MarketKnowledge): readonly Slot[] {
  return slots.filter(({ gpu }) => gpu === null || shortOfMemory?.has(gpu) !== true);
}

function rowOf(
  open: OpenRun,
  verdicts: readonly { readonly offer: Offer; readonly verdict: Verdict }[],
  offers: number,
): MarketRow {
  const takes = verdicts.flatMap(({ offer, verdict }) =>
    verdict.kind === 'take' ? [{ offer, jobs: verdict.jobs }] : [],
  );
  const wanted = takes.reduce((sum, { jobs }) => sum + jobs, 0);
  const taken = Math.min(open.run.numJobs, wanted);
  const nearest = verdicts
    .flatMap(({ offer, verdict }) => (verdict.kind === 'skip' ? [{ offer, reason: verdict.reason }] : []))
    .sort((a, b) => nearness(b.reason) - nearness(a.reason))[0];
  const names = takes.map(({ offer }) => offer.name);
  return {
    ...plainRow(open),
    ask: takes[0]?.offer.askPrice ?? nearest?.offer.askPrice ?? null,
    taken,
    offers: names,
    reason: taken > 0 ? null : (nearest?.reason ?? null),
    words: taken > 0 ? takenWords(open, taken, offers > 1 ? names : []) : skipWords(nearest?.reason),
  };
}

/** The columns that the run alone determines. */
export function plainRow({ function: fn, run }: OpenRun) {
  return {
    run: run.uuid,
    function: run.functionName,
    image: fn?.registryPath ?? null,
    bid: run.bidPrice,
    jobs: run.numJobs,
    baseGpu: run.baseGpu === null ? null : run.baseGpuName,
  };
}

/** Of several offers the one that got furthest in the order of checks gives the reason; a wrong offer type says least. */
function nearness(reason: SkipReason): number {
  return reason === 'wrong-offer-type' ? -1 : REASONS.indexOf(reason);
}

function takenWords({ run }: OpenRun, taken: number, [first, ...more]: readonly string[]): string {
  const all = run.numJobs === 1 ? 'its job' : `all ${run.numJobs} jobs`;
  const others = more.length === 0 ? '' : ` and ${count(more.length, 'other offer')}`;
  const by = first === undefined ? '' : `, by ${first}${others}`;
  return `taken: ${taken === run.numJobs ? all : `${taken} of ${run.numJobs} jobs`}${by}`;
}

function skipWords(reason: SkipReason | undefined): string {
  if (reason === undefined) return '';
  if (reason === 'unresolved') return 'not resolved';
  const words = SKIP_REASONS[reason];
  return reason === 'image-not-pulled' ? `${words}; it would be pulled first` : words;
}

function byTakenThenBid(a: MarketRow, b: MarketRow): number {
  return Number(b.taken > 0) - Number(a.taken > 0) || b.bid - a.bid;
}
