import { z } from 'zod';
import { SKIP_REASONS } from '../domain/decide.ts';
import { EARNINGS_BY } from '../domain/earnings.ts';
import { JOB_STATES } from '../domain/job.ts';
import { BACKTEST } from './backtest-view.ts';
import { INSTANT } from './instant.ts';
import { EVENT } from './protocol.ts';
import { STATUS } from './status-schema.ts';

const TEXT = z.string().nullable();
const FIGURE = z.number().nullable();
const COUNT = z.int().min(0);

const OUTCOMES = ['succeeded', 'failed', 'timeout'] as const;
const OUTCOME = z.enum(OUTCOMES).nullable();

/** By what a list of jobs is filtered. `gpu` is a uuid, or `cpu` for jobs without a GPU. */
export const JOB_FILTER = z.object({
  state: z.array(z.enum(JOB_STATES)).max(20),
  outcome: z.enum(OUTCOMES).optional(),
  gpu: z.string().max(200).optional(),
  text: z.string().max(200).optional(),
});

/** A job in a list. What is not known, or not yet, is null. */
const JOB_ROW = z.object({
  job: z.string(),
  run: z.string(),
  function: z.string(),
  offer: z.string(),
  gpu: TEXT,
  image: z.string(),
  /** See the states of a job in domain/job.ts. */
  state: z.enum(JOB_STATES),
  outcome: OUTCOME,
  /** Why it was released, cancelled or dropped. */
  why: TEXT,
  durationMs: FIGURE,
  /** US dollars per job and minute, when it was claimed. */
  askPrice: z.number(),
  /** US dollars, once the broker has accepted the report. */
  earned: FIGURE,
  /** Bytes at its network interface, so far. */
  sentBytes: FIGURE,
  receivedBytes: FIGURE,
  /** Its IPv4 address in the jobs’ network. */
  address: TEXT,
  claimedAt: INSTANT,
  updatedAt: INSTANT,
});

const CHANGE = z.object({
  at: INSTANT,
  state: z.string(),
  outcome: OUTCOME,
  why: TEXT,
  container: TEXT,
  durationMs: FIGURE,
  earned: FIGURE,
  note: TEXT,
});

const JOB = JOB_ROW.extend({
  broker: TEXT,
  instance: z.string(),
  slot: z.string(),
  timeoutMs: z.number(),
  container: TEXT,
  startedAt: INSTANT.nullable(),
  endedAt: INSTANT.nullable(),
  /** What the agent says in the report about the end of the job. */
  note: TEXT,
  /** The sizes of the report’s parts in characters. */
  sizes: z.object({ buildLogs: COUNT, stdout: COUNT, stderr: COUNT, result: COUNT }).nullable(),
  /** The beginning of what the agent has to say on how the job was prepared. */
  buildLogs: TEXT,
  /** Of its GPU, by that GPU’s sensor while it ran: its share, where jobs share one. While it runs, what was written last. */
  energyJoules: FIGURE,
  /** Of these, what the GPU would have taken idle. */
  idleJoules: FIGURE,
  /** For how much of its time that was measured, in milliseconds. */
  measuredMs: FIGURE,
  isEnergyEstimate: z.boolean().nullable(),
  /** What its power cost at the wall, above idle, in millionths of a US dollar. */
  powerCostMicroDollars: FIGURE,
  isPowerCostEstimate: z.boolean().nullable(),
  /** What it has earned, less its power, once the job is over. */
  netMicroDollars: FIGURE,
  /** Every change of its state, oldest first. */
  history: z.array(CHANGE).readonly(),
});

const RUN = z.object({
  run: z.string(),
  function: TEXT,
  image: TEXT,
  /** US dollars per job and minute. */
  bid: z.number(),
  openJobs: FIGURE,
  createdAt: INSTANT.nullable(),
  /** Why each offer does not take it, `reason` null: it does. `what` is the reason in words. */
  verdicts: z
    .array(
      z.object({
        offer: z.string(),
        reason: z.enum(Object.keys(SKIP_REASONS)).nullable(),
        what: TEXT,
      }),
    )
    .readonly(),
});

/** Of one minute or hour: the means, to hundredths, and null where nothing was measured. */
const POINT = z.object({
  at: INSTANT,
  utilizationPercent: FIGURE,
  memoryUsedMiB: FIGURE,
  temperatureC: FIGURE,
  powerW: FIGURE,
});

const OPTION = z.object({
  option: z.string(),
  group: z.string(),
  /** As an owner would write it; null: not set, or secret. */
  value: TEXT,
  /** Where the value comes from: the name of a flag, variable or file, or `default`. */
  source: z.string(),
  secret: z.boolean(),
  /** Whether SIGHUP puts a change into effect; else a restart does. */
  reloads: z.boolean(),
  help: z.string(),
});

const MICRO_DOLLARS = z.int();

/** Micro-dollars are whole millionths of a US dollar. What is not known is null, and no 0. */
const SUMS = z.object({
  /** Jobs that the broker has paid. */
  jobs: COUNT,
  confirmedMicroDollars: MICRO_DOLLARS,
  /** Jobs whose report the broker has not accepted yet; by the day when they ended. No part of what is earned. */
  pendingJobs: COUNT,
  pendingMicroDollars: MICRO_DOLLARS,
  /** Jobs that ended, paid or not, and what those took whose GPU was measured; by the day when they ended. */
  endedJobs: COUNT,
  energyJoules: z.int().nullable(),
  /** Jobs whose energy is not known, and those of which it is an estimate. */
  unmeasuredJobs: COUNT,
  estimatedJobs: COUNT,
  /** Of the jobs of which it is known, paid or not. */
  powerCostMicroDollars: MICRO_DOLLARS.nullable(),
  /** Confirmed less power cost; the most that it can be where `unpricedJobs` is not 0. */
  netMicroDollars: MICRO_DOLLARS.nullable(),
  /** Jobs whose power cost is not known. */
  unpricedJobs: COUNT,
});

/** What views of the agent show beside its status; without `schema` and `version`. */
export const VIEWS = {
  live: z.discriminatedUnion('kind', [
    /** `seq` is that of the last event before it. What runs on, such as `ranMs`, counts from the status’s `at`. */
    z.object({ kind: z.literal('status'), seq: z.number(), status: STATUS }),
    z.object({ kind: z.literal('event'), event: EVENT }),
  ]),
  /** `next`: where the list goes on; null: at its end. */
  jobs: z.object({ jobs: z.array(JOB_ROW).readonly(), next: FIGURE }),
  job: JOB,
  market: z.object({
    /** When the broker last answered; null: not yet. */
    at: INSTANT.nullable(),
    runs: z.array(RUN).readonly(),
    /** Runs that are not listed here because there are too many. */
    leftOut: COUNT,
    /** How many runs each offer skips, and why. */
    skipped: z.array(z.object({ offer: z.string(), reason: z.string(), runs: COUNT })).readonly(),
  }),
  backtest: BACKTEST,
  history: z.object({
    span: z.enum(['minute', 'hour']),
    /** How much time a point stands for, in milliseconds. */
    stepMs: z.number(),
    gpus: z
      .array(z.object({ gpu: z.string(), name: z.string(), points: z.array(POINT).readonly() }))
      .readonly(),
  }),
  /**
   * Money is in US dollars; `earned` is what the broker has confirmed, on the day when it did, and `jobs` are those that
   * were paid. Days without one are left out.
   */
  earnings: z.object({
    /** This host’s, such as `Europe/Berlin`. */
    timeZone: z.string(),
    /** The day there now, the last of those that were asked for. */
    today: z.iso.date(),
    days: z
      .array(
        z.object({
          /** The day of this host’s time zone: `2026-11-27`. */
          day: z.iso.date(),
          since: INSTANT,
          earned: z.number(),
          jobs: COUNT,
          gpus: z
            .array(z.object({ gpu: z.string(), name: z.string(), earned: z.number(), jobs: COUNT }))
            .readonly(),
        }),
      )
      .readonly(),
    by: z.enum(EARNINGS_BY),
    /** The first and the last of the days that the sums are of. */
    from: z.iso.date(),
    until: z.iso.date(),
    /** `key`: a day, the uuid of a GPU or `cpu`, or a name; null: all that have no row of their own. `name` is for people. */
    rows: z.array(z.object({ key: TEXT, name: z.string(), ...SUMS.shape })).readonly(),
    /** Every amount of money is the sum of the rows’. */
    total: SUMS,
    /** What the GPUs took while they had no job; no part of `total`. */
    idle: z.object({
      ms: COUNT,
      energyJoules: z.int().nullable(),
      powerCostMicroDollars: MICRO_DOLLARS.nullable(),
    }),
  }),
  configuration: z.object({ file: TEXT, options: z.array(OPTION).readonly() }),
  versions: z.object({
    /** What and which version; null: not known. */
    versions: z.array(z.object({ what: z.string(), version: TEXT })).readonly(),
    /** Facts about this host, such as its processor and memory, in words. */
    host: z.array(z.object({ what: z.string(), value: TEXT })).readonly(),
    vulnerabilities: z
      .array(z.object({ id: z.string(), what: z.string(), accepted: z.boolean(), hint: TEXT }))
      .readonly(),
  }),
} as const;
