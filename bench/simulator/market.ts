import { SeededRandom } from '../../src/lib/seeded-random.ts';
import { DAYS, type Shape } from './shapes.ts';

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;

/** A job as it will turn out on any host. */
export type SimulatedJob = {
  readonly minutes: number;
  readonly outcome: 'succeeded' | 'failed' | 'timeout';
};

/** A buyer's run. Times are milliseconds since the market began, money US dollars per job and minute. */
export type SimulatedRun = {
  readonly uuid: string;
  readonly at: number;
  /** The buyer takes back what nobody has claimed by then. */
  readonly until: number;
  readonly bid: number;
  /** Runs of one function have similar jobs. */
  readonly function: string;
  readonly jobs: readonly SimulatedJob[];
};

/** A host beside ours. */
export type Rival = { readonly ask: number; readonly slots: number; isOnline(at: number): boolean };

/** Everything of a market that does not depend on our host. */
export type Market = {
  readonly shape: Pick<Shape, 'dollarsPerKWh'>;
  readonly runs: readonly SimulatedRun[];
  readonly rivals: readonly Rival[];
  readonly endsAt: number;
};

const FUNCTIONS = 12;
const TIMEOUT_MINUTES = 60;

/** A market of a shape, which a seed repeats. It begins on a Monday at midnight. */
export function marketOf(shape: Shape, seed: number, days = DAYS): Market {
  const random = new SeededRandom(seed);
  const endsAt = days * 24 * HOUR_MS;
  const bursts = burstsOf(shape, random, endsAt);
  const factors = Array.from({ length: FUNCTIONS }, () => Math.exp(0.7 * normal(random)));
  const runs: SimulatedRun[] = [];
  const maxRate = peakRate(shape);
  // Thinning: arrivals at the highest rate, of which each is kept by the rate at its time.
  for (let at = 0; ; ) {
    at += (-Math.log(1 - random.next()) / maxRate) * HOUR_MS;
    if (at >= endsAt) break;
    if (random.next() * maxRate <= rateAt(shape, at, bursts))
      runs.push(runAt(shape, at, runs.length, factors, random));
  }
  const rivals = Array.from({ length: shape.rivals.hosts }, (_, index) =>
    rivalOf(shape, index, seed, random),
  );
  return { shape, runs, rivals, endsAt };
}

/** What others ask, as the broker lists it. */
export function asksOf({ rivals }: Market): readonly number[] {
  return rivals.map(({ ask }) => ask);
}

function runAt(
  { demand, jobs }: Shape,
  at: number,
  index: number,
  factors: readonly number[],
  random: SeededRandom,
): SimulatedRun {
  const number = Math.floor(random.next() * FUNCTIONS);
  const count = 1 + Math.floor(-Math.log(1 - random.next()) * (jobs.perRun - 1));
  const hour = (at / HOUR_MS) % 24;
  const night = hour < 6 || hour >= 22 ? demand.nightBid : 1;
  const bid =
    demand.bid * trend(demand.bidAfterMonth, at) * night * Math.exp(demand.bidSpread * normal(random));
  return {
    uuid: `run-${index}`,
    at,
    until: at + demand.withdrawnAfterHours * HOUR_MS * (0.5 + random.next()),
    bid,
    function: `function-${number}`,
    jobs: Array.from({ length: count }, () => jobOf(jobs, factors[number] ?? 1, random)),
  };
}

/** A job of a function whose jobs take `factor` times as long as others. */
export function jobOf(traits: Shape['jobs'], factor: number, random: SeededRandom): SimulatedJob {
  const minutes = traits.medianMinutes * factor * Math.exp(traits.spread * normal(random));
  const draw = random.next();
  if (draw < traits.endless || minutes > TIMEOUT_MINUTES)
    return { minutes: TIMEOUT_MINUTES, outcome: 'timeout' };
  if (draw < traits.endless + traits.failing) return { minutes: minutes * random.next(), outcome: 'failed' };
  return { minutes, outcome: 'succeeded' };
}

/** Hosts come and go in spells of several hours, each by its own clock. */
function rivalOf({ rivals }: Shape, index: number, seed: number, random: SeededRandom): Rival {
  const spellMs = random.between(6, 30) * HOUR_MS;
  const offset = random.next() * spellMs;
  return {
    ask: rivals.ask * Math.exp(rivals.askSpread * normal(random)),
    slots: rivals.slots,
    isOnline: (at) => {
      const spell = Math.floor((at + offset) / spellMs);
      return new SeededRandom(seed * 7_919 + index * 104_729 + spell).next() < rivals.online;
    },
  };
}

type Burst = { readonly from: number; readonly until: number };

function burstsOf({ demand: { bursts } }: Shape, random: SeededRandom, endsAt: number): readonly Burst[] {
  if (bursts === undefined) return [];
  const found: Burst[] = [];
  for (let at = 0; ; ) {
    at += -Math.log(1 - random.next()) * bursts.everyHours * HOUR_MS;
    if (at >= endsAt) return found;
    found.push({ from: at, until: at + bursts.hours * HOUR_MS });
  }
}

/** Runs an hour at a time. */
function rateAt({ demand }: Shape, at: number, bursts: readonly Burst[]): number {
  const hour = (at / HOUR_MS) % WEEK_HOURS;
  const daily = 1 + demand.dailySwing * Math.cos(((hour - demand.peakHour) / 24) * 2 * Math.PI);
  const weekly = hour >= 120 ? demand.weekend : 1;
  const isBurst = bursts.some(({ from, until }) => from <= at && at < until);
  return (
    demand.runsPerHour *
    daily *
    weekly *
    trend(demand.runsAfterMonth, at) *
    (isBurst ? (demand.bursts?.times ?? 1) : 1)
  );
}

function peakRate({ demand }: Shape): number {
  const weekly = Math.max(1, demand.weekend);
  return (
    demand.runsPerHour *
    (1 + demand.dailySwing) *
    weekly *
    Math.max(1, demand.runsAfterMonth) *
    (demand.bursts?.times ?? 1)
  );
}

/** From 1 at the beginning to `afterMonth` after 30 days, evenly by its logarithm. */
function trend(afterMonth: number, at: number): number {
  return afterMonth ** (at / (30 * 24 * HOUR_MS));
}

/** Normally distributed, by Box and Muller. */
function normal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
