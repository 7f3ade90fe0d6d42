import type { MarketKnowledge } from '../../domain/decide.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { ReadyImage } from '../../domain/ports/runtime.ts';
import type { OpenRun, Run } from '../../domain/run.ts';
import { bestPaid, type MarketRow, rowsFor, worthLookingUp } from './evaluation.ts';
import { rowWithNeeds } from './needs.ts';
import { askEach, type ResolvedRuns, resolveRuns } from './resolve-runs.ts';

/** Who is asked, and for how long. */
export type Asked = {
  readonly broker: Pick<Broker, 'function' | 'image' | 'openJobs'>;
  /** The image if Docker has it; undefined altogether where there is no Docker to ask. */
  readonly findImage: ((ref: string) => Promise<ReadyImage | undefined>) | undefined;
  readonly signal: AbortSignal;
};

/** The host's side of the market. */
export type HostSide = {
  readonly offers: readonly Offer[];
  readonly catalogue: MarketKnowledge['catalogue'];
  readonly images: readonly string[];
  /** So many runs are looked up at most. */
  readonly mostLookUps: number;
};

/** A verdict for each run, and what stood in the way of better ones. */
export type Evaluation = { readonly rows: readonly MarketRow[]; readonly notes: readonly string[] };

/** Looks up what the best runs point to and says what would become of each run. Claims and changes nothing. */
export async function evaluate(runs: readonly Run[], host: HostSide, asked: Asked): Promise<Evaluation> {
  const bare = runs.map((run): OpenRun => ({ run, function: undefined, image: undefined }));
  const nothingHere = knowledgeOf(host, new Set(), new Map());
  const offered = host.offers.length > 0;
  const worth = offered ? worthLookingUp(bare, host.offers, nothingHere) : [...bare].sort(bestPaid);
  const best = worth.slice(0, host.mostLookUps).map(({ run }) => run);
  const found = await resolveRuns(asked.broker, best, asked.signal);
  const open = bare.map((one) => found.open.get(one.run.uuid) ?? one);
  const rows = offered
    ? await rowsWithJobs(open, host, found, asked)
    : {
        rows: [...open]
          .sort(bestPaid)
          .map((one) =>
            rowWithNeeds({ open: one, senseless: found.senseless.has(one.run.uuid) }, host.images),
          ),
        failure: undefined,
      };
  const cut = worth.length > best.length;
  return {
    rows: rows.rows,
    notes: [
      ...(cut
        ? [`of ${worth.length} runs that may do, only the ${best.length} best paid were looked up`]
        : []),
      ...[found.failure, rows.failure].flatMap((error) =>
        error === undefined ? [] : [`not all could be looked up: ${error.message}`],
      ),
    ],
  };
}

type Rows = { readonly rows: readonly MarketRow[]; readonly failure: AgentError | undefined };

/** Repricer whether the runs that would be taken still have open jobs, until that is known of all of them. */
async function rowsWithJobs(
  open: readonly OpenRun[],
  host: HostSide,
  found: ResolvedRuns,
  asked: Asked,
): Promise<Rows> {
  const refs = [...found.open.values()].flatMap((one) => one.function?.registryPath ?? []);
  const images = asked.findImage === undefined ? undefined : await askEach(refs, asked.findImage);
  const here = new Set(refs.filter((ref) => images?.answers.get(ref) !== undefined));
  const openJobs = new Map<string, number | undefined>();
  let failure = images?.failure;
  for (;;) {
    const empty = [...openJobs].filter(([, jobs]) => jobs === 0).map(([uuid]) => uuid);
    const backoff = asideFor([...found.senseless], empty);
    const counted = open.map((one) => withJobs(one, openJobs.get(one.run.uuid)));
    const rows = rowsFor(counted, host.offers, knowledgeOf(host, here, backoff));
    const unsure = rows.filter(({ run, taken }) => taken > 0 && !openJobs.has(run)).map(({ run }) => run);
    if (unsure.length === 0) return { rows, failure };
    const answer = await askEach(
      unsure,
      async (run) => (await asked.broker.openJobs(run, asked.signal)).items.length,
    );
    failure ??= answer.failure;
    for (const run of unsure) openJobs.set(run, answer.answers.get(run));
  }
}

function asideFor(senseless: readonly string[], empty: readonly string[]): MarketKnowledge['backoff'] {
  const setAside = (uuids: readonly string[], reason: 'invalid' | 'no-open-jobs') =>
    uuids.map((uuid) => [uuid, { reason, until: Infinity }] as const);
  return new Map([...setAside(senseless, 'invalid'), ...setAside(empty, 'no-open-jobs')]);
}

/** Only the open jobs of a run count; its list may tell those that are done, too. */
function withJobs(open: OpenRun, jobs: number | undefined): OpenRun {
  return jobs === undefined || jobs === 0 ? open : { ...open, run: { ...open.run, numJobs: jobs } };
}

function knowledgeOf(
  { catalogue, images }: HostSide,
  here: ReadonlySet<string>,
  backoff: MarketKnowledge['backoff'],
): MarketKnowledge {
  return { catalogue, images, backoff, imageState: (ref) => (here.has(ref) ? 'ready' : 'missing') };
}
