import { backtestInput } from '../../src/control/backtest-input.ts';
import { SeededRandom } from '../../src/lib/seeded-random.ts';
import { finish } from '../../src/lib/slices.ts';
import { intervalAt } from '../../src/pricing/backtest/candidates.ts';
import { Imputation, type OwnJob, type SeenRun } from '../../src/pricing/backtest/observed.ts';
import { jobOf, type Market, type SimulatedJob, type SimulatedRun } from './market.ts';
import type { Recording } from './recording.ts';
import type { JobTraits } from './shapes.ts';
import { offerAt } from './simulate.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** The market was polled once a minute: a run came up to a minute before it was seen first, and went up to one after the last. */
const HALF_POLL_MS = MINUTE_MS / 2;

/** What jobs are like where the history has none of this host: as on the simulated markets. */
export type Unknown = { readonly jobs: JobTraits; readonly dollarsPerKWh: (hourOfDay: number) => number };

/**
 * The market that was recorded. Its runs are what was left for this host, so nobody else takes any of them; its own jobs are runs
 * that it may take again. How jobs of others would have gone is drawn by the seed. The same seed gives the same market. Pure.
 */
export function replayedMarket(recording: Recording, { dollarsPerKWh, jobs }: Unknown, seed: number): Market {
  const { from, others, until } = recording;
  const random = new SeededRandom(seed);
  const { own, seen } = observedIn(recording);
  const imputation = new Imputation(own);
  const jobLike = (run: SeenRun): SimulatedJob => {
    const drawn = imputation.draw(run, () => random.next());
    if (drawn === undefined) return jobOf(jobs, 1, random);
    return { minutes: drawn.ms / MINUTE_MS, outcome: drawn.paidMs > 0 ? 'succeeded' : 'failed' };
  };
  const left = seen.map(
    (run, index): SimulatedRun => ({
      uuid: `${run.run}/${index}`,
      at: Math.max(0, run.firstSeen - HALF_POLL_MS - from),
      until: run.lastSeen + HALF_POLL_MS - from,
      bid: run.bid,
      function: run.function,
      jobs: Array.from({ length: run.jobs }, () => jobLike(run)),
    }),
  );
  const intervals = Map.groupBy(recording.runs, ({ run }) => run);
  const taken = own.map((job, index) => takenAgain(job, index, from, intervals));
  const hour = Math.floor(from / HOUR_MS);
  return {
    shape: { dollarsPerKWh: (since) => dollarsPerKWh((hour + since) % 24) },
    runs: [...left, ...taken].filter((run) => run.jobs.length > 0).toSorted((a, b) => a.at - b.at),
    rivals: others.map((ask) => ({ ask, slots: 0, isOnline: () => false })),
    endsAt: until - from,
  };
}

/** The runs without this host's jobs, and these with the functions and bids that the market says. */
function observedIn({ from, jobs, runs, until }: Recording): {
  readonly own: readonly OwnJob[];
  readonly seen: readonly SeenRun[];
} {
  const offer = offerAt(0);
  const input = backtestInput({
    from,
    until,
    asks: [],
    offer,
    jobs: jobs.map((job) => ({ ...job, offer: offer.key })),
    past: { runs, knownFrom: from, online: [], paused: [] },
    changes: [],
    knowledge: { catalogue: new Map(), images: ['*'] },
    floor: undefined,
    costPerMinute: undefined,
    brokerFee: 0,
  });
  return finish(input).observed;
}

/** A job that this host ran can be taken from when its run was seen, until it was claimed. */
function takenAgain(
  job: OwnJob,
  index: number,
  from: number,
  intervals: ReadonlyMap<string, readonly SeenRun[]>,
): SimulatedRun {
  const seen = intervalAt(intervals.get(job.run), job.from);
  const outcome = job.isPaid ? 'succeeded' : 'failed';
  return {
    uuid: `${job.run}/own/${index}`,
    at: Math.max(0, Math.min(job.from, (seen?.firstSeen ?? job.from) - HALF_POLL_MS) - from),
    until: job.from + HALF_POLL_MS - from,
    bid: job.bid,
    function: job.function,
    jobs: [{ minutes: (job.until - job.from) / MINUTE_MS, outcome }],
  };
}
