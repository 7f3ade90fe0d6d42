import type { Market } from './answers.ts';

type Run = Market['runs'][number];
type Reason = NonNullable<Run['verdicts'][number]['reason']>;

/** Why runs are not taken, in a few words. */
const REASONS: Readonly<Record<Reason, string>> = {
  'bid-below-ask': 'bid below the ask',
  'in-backoff': 'tried, and in backoff',
  'no-open-jobs': 'no open jobs',
  'gpu-unknown': 'GPU not in the catalogue',
  'gpu-too-small': 'needs a larger GPU',
  'no-slot': 'no free slot',
  'ends-after-window': 'would end after the schedule’s window',
  'below-floor': 'would cost more than it brings',
  'gpu-memory-short': 'too little GPU memory is free',
  invalid: 'invalid',
  unresolved: 'not looked up yet',
  'unsupported-runtime': 'unsupported runtime',
  'wrong-offer-type': 'for the other offer type',
  'image-not-allowed': 'image not on the list (--images)',
  'image-wrong-platform': 'image for another platform',
  'image-failed': 'image could not be pulled',
  'image-not-pulled': 'image not pulled yet',
};

/** The words for a reason; a newer agent may know other ones. Pure. */
export function reasonWords(reason: string): string {
  return new Map<string, string>(Object.entries(REASONS)).get(reason) ?? reason;
}

/** How many runs are skipped for a reason, by offer. */
export type Group = {
  readonly reason: string;
  readonly runs: ReadonlyMap<string, number>;
  readonly most: number;
};

/** Why runs are not taken, the most frequent reason first. Pure. */
export function groupsOf({ skipped }: Pick<Market, 'skipped'>): readonly Group[] {
  const groups = new Map<string, Map<string, number>>();
  for (const { offer, reason, runs } of skipped) {
    const byOffer = groups.get(reason) ?? new Map<string, number>();
    groups.set(reason, byOffer.set(offer, (byOffer.get(offer) ?? 0) + runs));
  }
  return [...groups]
    .map(([reason, runs]) => ({ reason, runs, most: Math.max(...runs.values()) }))
    .sort((a, b) => b.most - a.most);
}

/** Which runs are listed. */
export type RunFilter = { readonly text: string; readonly reason: string; readonly onlyTaken: boolean };

/** Whether some offer takes a run. Pure. */
export function isTaken({ verdicts }: Run): boolean {
  return verdicts.some(({ reason }) => reason === null);
}

/** The runs that a filter lets through, the best bids first. Pure. */
export function runsOf(
  { runs }: Pick<Market, 'runs'>,
  { onlyTaken, reason, text }: RunFilter,
): readonly Run[] {
  const wanted = text.toLowerCase();
  return runs
    .filter(
      (run) =>
        (!onlyTaken || isTaken(run)) &&
        (reason === '' || run.verdicts.some((verdict) => verdict.reason === reason)) &&
        [run.run, run.function, run.image].some((name) => name?.toLowerCase().includes(wanted)),
    )
    .sort((a, b) => b.bid - a.bid);
}

/** What offers make of a run, those with the same verdict together; `offers` is empty where it is the verdict of all. Pure. */
export function verdictsOf({ verdicts }: Run): readonly {
  readonly offers: readonly string[];
  readonly isTaken: boolean;
  readonly words: string;
}[] {
  const groups = new Map<string, { offers: string[]; isTaken: boolean }>();
  for (const { offer, reason, what } of verdicts) {
    const words = reason === null ? 'would be taken' : (what ?? reasonWords(reason));
    const group = groups.get(words) ?? { offers: [], isTaken: reason === null };
    group.offers.push(offer);
    groups.set(words, group);
  }
  return [...groups].map(([words, { isTaken, offers }]) => ({
    words,
    isTaken,
    offers: groups.size === 1 ? [] : offers,
  }));
}
