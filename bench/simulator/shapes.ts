import { SeededRandom } from '../../src/lib/seeded-random.ts';

/*
 * The markets on which strategies are compared. They were written before any strategy, and no strategy may import them.
 * Prices are in US dollars per job and minute, times in hours.
 */

/** A market as its buyers and rivals make it. */
export type Shape = {
  readonly name: string;
  readonly demand: Demand;
  readonly jobs: JobTraits;
  readonly rivals: Rivals;
  /** What the owner's electricity costs, in US dollars per kWh, by the hour of the day. */
  readonly dollarsPerKWh: (hourOfDay: number) => number;
};

/** How buyers come. */
export type Demand = {
  /** Runs an hour, in the mean of a working day at the beginning, without bursts. */
  readonly runsPerHour: number;
  /** How much more of them come at the peak of a day: 0 none, 1 twice the mean and none at the trough. */
  readonly dailySwing: number;
  readonly peakHour: number;
  /** Runs on Saturday and Sunday to those of other days. */
  readonly weekend: number;
  /** Now and then many more come for a while; undefined: they do not. */
  readonly bursts:
    | { readonly everyHours: number; readonly hours: number; readonly times: number }
    | undefined;
  /** The median bid. */
  readonly bid: number;
  /** The standard deviation of its logarithm between buyers. */
  readonly bidSpread: number;
  /** Runs and bids after 30 days to those of the beginning. */
  readonly runsAfterMonth: number;
  readonly bidAfterMonth: number;
  /** The bids of the night (22 to 6 o'clock) to those of the day. */
  readonly nightBid: number;
  /** A buyer takes back what nobody has claimed after so long. */
  readonly withdrawnAfterHours: number;
};

/** What buyers' jobs are like. */
export type JobTraits = {
  /** One, and a geometric number more: from 2 on, the mean is half a job less than this. */
  readonly perRun: number;
  readonly medianMinutes: number;
  /** The standard deviation of the logarithm of their duration. */
  readonly spread: number;
  /** Parts of the jobs that fail, and that run into the timeout. */
  readonly failing: number;
  readonly endless: number;
};

/** The other hosts with GPUs like ours. */
export type Rivals = {
  readonly hosts: number;
  readonly slots: number;
  /** The median of their asks, and the standard deviation of its logarithm. */
  readonly ask: number;
  readonly askSpread: number;
  /** The part of the time in which one is on the market. */
  readonly online: number;
};

const DAY_TARIFF = (): number => 0.3;

const COMMON_JOBS: JobTraits = { perRun: 3, medianMinutes: 12, spread: 0.9, failing: 0.06, endless: 0.02 };

export const SHAPES: readonly Shape[] = [
  {
    name: 'thin',
    demand: {
      runsPerHour: 0.7,
      dailySwing: 0.5,
      peakHour: 15,
      weekend: 0.6,
      bursts: undefined,
      bid: 0.03,
      bidSpread: 0.6,
      runsAfterMonth: 1,
      bidAfterMonth: 1,
      nightBid: 1,
      withdrawnAfterHours: 4,
    },
    jobs: COMMON_JOBS,
    rivals: { hosts: 4, slots: 1, ask: 0.025, askSpread: 0.35, online: 0.7 },
    dollarsPerKWh: DAY_TARIFF,
  },
  {
    name: 'busy',
    demand: {
      runsPerHour: 14,
      dailySwing: 0.4,
      peakHour: 15,
      weekend: 0.8,
      bursts: undefined,
      bid: 0.045,
      bidSpread: 0.5,
      runsAfterMonth: 1,
      bidAfterMonth: 1,
      nightBid: 1,
      withdrawnAfterHours: 3,
    },
    jobs: COMMON_JOBS,
    rivals: { hosts: 10, slots: 1, ask: 0.035, askSpread: 0.4, online: 0.8 },
    dollarsPerKWh: DAY_TARIFF,
  },
  {
    name: 'bursty',
    demand: {
      runsPerHour: 1.2,
      dailySwing: 0.3,
      peakHour: 14,
      weekend: 0.7,
      bursts: { everyHours: 18, hours: 2, times: 20 },
      bid: 0.04,
      bidSpread: 0.7,
      runsAfterMonth: 1,
      bidAfterMonth: 1,
      nightBid: 1,
      withdrawnAfterHours: 2,
    },
    jobs: { ...COMMON_JOBS, perRun: 5 },
    rivals: { hosts: 6, slots: 1, ask: 0.03, askSpread: 0.4, online: 0.8 },
    dollarsPerKWh: DAY_TARIFF,
  },
  {
    name: 'falling',
    demand: {
      runsPerHour: 9,
      dailySwing: 0.4,
      peakHour: 15,
      weekend: 0.8,
      bursts: undefined,
      bid: 0.06,
      bidSpread: 0.5,
      runsAfterMonth: 0.5,
      bidAfterMonth: 0.35,
      nightBid: 1,
      withdrawnAfterHours: 3,
    },
    jobs: COMMON_JOBS,
    rivals: { hosts: 8, slots: 1, ask: 0.04, askSpread: 0.4, online: 0.8 },
    dollarsPerKWh: DAY_TARIFF,
  },
  {
    name: 'night-cheap',
    demand: {
      runsPerHour: 5,
      dailySwing: 0.6,
      peakHour: 14,
      weekend: 0.7,
      bursts: undefined,
      bid: 0.05,
      bidSpread: 0.5,
      runsAfterMonth: 1,
      bidAfterMonth: 1,
      nightBid: 0.5,
      withdrawnAfterHours: 3,
    },
    jobs: COMMON_JOBS,
    rivals: { hosts: 7, slots: 1, ask: 0.035, askSpread: 0.4, online: 0.8 },
    dollarsPerKWh: (hour) => (hour < 6 || hour >= 22 ? 0.12 : 0.36),
  },
];

/** The seeds of the comparison: the first primes above 1,000. */
export const SEEDS: readonly number[] = [
  1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097, 1103, 1109,
  1117, 1123,
];

/** How long a market goes on. */
export const DAYS = 30;

/** A market that nobody chose: its seed is to be taken after the strategies are done. */
export function drawnShape(seed: number): Shape {
  const random = new SeededRandom(seed);
  const geometric = (min: number, max: number): number =>
    Math.exp(random.between(Math.log(min), Math.log(max)));
  const bid = geometric(0.015, 0.12);
  return {
    name: `drawn by ${seed}`,
    demand: {
      runsPerHour: geometric(0.4, 20),
      dailySwing: random.between(0, 0.9),
      peakHour: Math.floor(random.between(0, 24)),
      weekend: random.between(0.3, 1.3),
      bursts:
        random.next() < 0.4
          ? {
              everyHours: random.between(8, 60),
              hours: random.between(0.5, 4),
              times: random.between(5, 30),
            }
          : undefined,
      bid,
      bidSpread: random.between(0.2, 0.9),
      runsAfterMonth: geometric(0.4, 2.5),
      bidAfterMonth: geometric(0.4, 2.5),
      nightBid: random.between(0.4, 1.2),
      withdrawnAfterHours: geometric(0.5, 12),
    },
    jobs: {
      perRun: geometric(1, 10),
      medianMinutes: geometric(2, 60),
      spread: random.between(0.2, 1.2),
      failing: random.between(0, 0.2),
      endless: random.between(0, 0.05),
    },
    rivals: {
      hosts: Math.floor(geometric(1, 25)),
      slots: 1,
      ask: bid * random.between(0.4, 1.1),
      askSpread: random.between(0.1, 0.6),
      online: random.between(0.4, 1),
    },
    dollarsPerKWh: random.next() < 0.5 ? DAY_TARIFF : (hour) => (hour < 6 || hour >= 22 ? 0.1 : 0.4),
  };
}
