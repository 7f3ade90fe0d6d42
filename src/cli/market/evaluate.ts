import { unreadableArguments } from '../../agent/market/job-arguments.ts';
import type { ImageState, MarketKnowledge } from '../../domain/decide.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { OpenRun, Run } from '../../domain/run.ts';
import { rowWithNeeds } from './needs.ts';
import { forEach, type ResolvedRuns, resolveRuns } from './resolve-runs.ts';
import { byBid, type MarketRow, rowsFor, worthResolving } from './rows.ts';
import type { SlotTimes } from './slot-times.ts';

/** Where facts about runs come from. */
export type Sources = {
  readonly broker: Pick<Broker, 'function' | 'image' | 'openJobs'>;
  /** What Docker and the image's registry say of it; undefined if Docker does not answer. */
  readonly imageState: ((ref: string) => Promise<ImageState>) | undefined;
  readonly signal: AbortSignal;
};

/** What this host offers. */
export type HostSide = {
  readonly offers: readonly Offer[];
  readonly catalogue: MarketKnowledge['catalogue'];
  readonly images: readonly string[];
  readonly shortOfMemory: ReadonlySet<string>;
  /** Absent: no slot's window ends. */
  readonly times?: SlotTimes;
  /** At most so many runs are resolved, those with the best bids. */
  readonly maxResolved: number;
};

/** A row for each run, and what could not be found out. */
export type Evaluation = { readonly rows: readonly MarketRow[]; readonly notes: readonly string[] };

/** Decides about each run as the agent would. Claims and changes nothing. */
export async function evaluate(runs: readonly Run[], host: HostSide, sources: Sources): Promise<Evaluation> {
  const unresolved = runs.map((run): OpenRun => ({ run, function: undefined, image: undefined }));
  const hasOffers = host.offers.length > 0;
  const wanted = hasOffers
    ? worthResolving(unresolved, host.offers, knowledgeOf(host, new Map(), new Map()))
    : [...unresolved].sort(byBid);
  const best = wanted.slice(0, host.maxResolved).map(({ run }) => run);
  const resolved = await resolveRuns(sources.broker, best, sources.signal);
  const open = unresolved.map((one) => resolved.open.get(one.run.uuid) ?? one);
  const { failure, rows } = hasOffers
    ? await rowsWithOpenJobs(open, host, resolved, sources)
    : { rows: rowsWithNeeds(open, resolved, host.images), failure: undefined };
  const limited =
    wanted.length > best.length
      ? [`only the ${best.length} best paid of ${wanted.length} suitable runs were resolved`]
      : [];
  const failures = [resolved.failure, failure].flatMap((error) =>
    error === undefined ? [] : [`not everything could be looked up: ${error.message}`],
  );
  return { rows, notes: [...limited, ...failures] };
}

function rowsWithNeeds(
  open: readonly OpenRun[],
  { invalid }: ResolvedRuns,
  images: readonly string[],
): readonly MarketRow[] {
  return [...open]
    .sort(byBid)
    .map((one) => rowWithNeeds({ open: one, isInvalid: invalid.has(one.run.uuid) }, images));
}

type Rows = { readonly rows: readonly MarketRow[]; readonly failure: AgentError | undefined };

/** Counts the open jobs of the runs that would be taken, and decides again until all of those are counted. */
async function rowsWithOpenJobs(
  open: readonly OpenRun[],
  host: HostSide,
  resolved: ResolvedRuns,
  { broker, imageState, signal }: Sources,
): Promise<Rows> {
  const refs = new Set([...resolved.open.values()].flatMap((one) => one.function?.registryPath ?? []));
  const images = new Map<string, ImageState>();
  let failure = await forEach(imageState === undefined ? [] : refs, async (ref) => {
    images.set(ref, (await imageState?.(ref)) ?? 'missing');
  });
  /** By run; undefined: not known, or more than are read. */
  const openJobs = new Map<string, number | undefined>();
  const invalid = new Set(resolved.invalid);
  for (;;) {
    const empty = [...openJobs].filter(([, jobs]) => jobs === 0).map(([uuid]) => uuid);
    const counted = open.map((one) => withOpenJobs(one, openJobs.get(one.run.uuid)));
    const backoff = backoffFor([...invalid], empty);
    const rows = rowsFor(counted, host.offers, knowledgeOf(host, images, backoff), host.times);
    const uncounted = rows.filter(({ run, taken }) => taken > 0 && !openJobs.has(run)).map(({ run }) => run);
    if (uncounted.length === 0) return { rows, failure };
    const error = await forEach(uncounted, async (run) => {
      openJobs.set(run, undefined);
      const { isCut, items } = await broker.openJobs(run, signal);
      const runtime = resolved.open.get(run)?.function?.runtime ?? '';
      const readable = items.filter((job) => unreadableArguments(job, runtime) === undefined);
      if (items.length > 0 && readable.length === 0) invalid.add(run);
      else if (!isCut) openJobs.set(run, readable.length);
    });
    failure ??= error;
  }
}

function backoffFor(invalid: readonly string[], empty: readonly string[]): MarketKnowledge['backoff'] {
  const entries = (uuids: readonly string[], reason: 'invalid' | 'no-open-jobs') =>
    uuids.map((uuid) => [uuid, { reason, until: Infinity }] as const);
  return new Map([...entries(invalid, 'invalid'), ...entries(empty, 'no-open-jobs')]);
}

/** The broker may count finished jobs in `numJobs`. */
function withOpenJobs(open: OpenRun, jobs: number | undefined): OpenRun {
  return jobs === undefined || jobs === 0 ? open : { ...open, run: { ...open.run, numJobs: jobs } };
}

function knowledgeOf(
  { catalogue, images, shortOfMemory }: HostSide,
  states: ReadonlyMap<string, ImageState>,
  backoff: MarketKnowledge['backoff'],
): MarketKnowledge {
  return { catalogue, images, backoff, shortOfMemory, imageState: (ref) => states.get(ref) ?? 'missing' };
}
