import { z } from 'zod';
import { HOLD_KINDS } from '../domain/hold.ts';
import { PHASES } from '../domain/signals.ts';
import { INSTANT } from './instant.ts';

const TEXT = z.string().nullable();
const FIGURE = z.number().nullable();
const COUNT = z.int().min(0);

/** Why a target takes no new jobs. `until` is null where no end is known. */
export const HOLD = z.object({
  kind: z.enum(HOLD_KINDS),
  why: z.string(),
  until: INSTANT.nullable(),
  hint: TEXT,
});

const JOB = z.object({
  job: z.string(),
  function: z.string(),
  state: z.string(),
  /** How long it has run, in milliseconds; null: it was not started yet. */
  ranMs: FIGURE,
  /** What it would be paid if it ended well now, in US dollars. */
  earned: z.number(),
  askPrice: z.number(),
  /** When it ends at the latest; null: it was not started yet. */
  endsBy: INSTANT.nullable(),
});

/** The figures of a GPU now; null: not known. */
const FIGURES = z.object({
  at: INSTANT,
  temperatureC: FIGURE,
  powerW: FIGURE,
  powerLimitW: FIGURE,
  memoryUsedMiB: FIGURE,
  memoryTotalMiB: FIGURE,
  utilizationPercent: FIGURE,
  fanPercent: FIGURE,
  /** What holds its clocks down. */
  throttle: z.array(z.string()).readonly(),
  /** Powered down, and not woken to be asked. */
  asleep: z.boolean(),
});

const TARGET = z.object({
  /** The uuid of a GPU or MIG slice, or `cpu`. */
  target: z.string(),
  name: z.string(),
  kind: z.enum(['gpu', 'slice', 'cpu']),
  /** The GPU's index, also of a slice. */
  index: FIGURE,
  model: TEXT,
  profile: TEXT,
  slots: COUNT,
  mode: z.enum(['auto', 'on', 'off']),
  hold: HOLD.nullable(),
  jobs: z.array(JOB).readonly(),
  /** Null: not sampled, or the driver does not answer. */
  figures: FIGURES.nullable(),
});

const OFFER = z.object({
  offer: z.string(),
  name: z.string(),
  /** US dollars per job and minute. */
  askPrice: z.number(),
  slots: COUNT,
  used: COUNT,
  /** How many the owner does not keep from jobs. */
  open: COUNT,
  onMarket: z.boolean(),
  /** Why it is off the market. */
  why: TEXT,
});

const PULL = z.object({
  image: z.string(),
  doneBytes: z.number(),
  totalBytes: z.number(),
  unknownLayers: z.number(),
  bytesPerSecond: z.number(),
  secondsLeft: FIGURE,
});

/** What an owner sees of the agent at one moment. */
export const STATUS = z.object({
  at: INSTANT,
  /** The name of the host. */
  host: z.string(),
  state: z.enum(['starting', 'blocked', 'held', 'working', 'waiting', 'draining', 'evicting', 'stopped']),
  /** The state in one sentence. */
  sentence: z.string(),
  /** Null: no agent runs. */
  agent: z.object({ version: z.string(), phase: z.enum(PHASES), upMs: z.number() }).nullable(),
  /** The one reason why targets take no new jobs, the strongest; `targets` is empty where it is about the whole host. */
  reason: z
    .object({ ...HOLD.shape, targets: z.array(z.string()).readonly(), names: z.array(z.string()).readonly() })
    .nullable(),
  /** The worst problem, and what to do about it. */
  problem: z.object({ why: z.string(), hint: TEXT }).nullable(),
  offers: z.array(OFFER).readonly(),
  targets: z.array(TARGET).readonly(),
  pulls: z.array(PULL).readonly(),
  /** What has ended since the host's midnight; `earned` is what the broker has confirmed, in US dollars. */
  today: z.object({
    since: INSTANT,
    earned: z.number(),
    jobs: z.object({
      succeeded: COUNT,
      failed: COUNT,
      timeout: COUNT,
      released: COUNT,
      cancelled: COUNT,
    }),
    /** What the power of these jobs has cost in US dollars, and what that leaves of `earned`; null: not known. */
    powerCost: FIGURE,
    net: FIGURE,
    /** How many of them the power cost lacks; `net` is then at most this. */
    unpricedJobs: COUNT,
  }),
  /** What waits for the broker; `earned` is what it should pay for it, in US dollars. */
  pending: z.object({ reports: COUNT, releases: COUNT, earned: z.number() }),
});

export type Status = z.infer<typeof STATUS>;
export type StatusTarget = Status['targets'][number];
export type StatusJob = StatusTarget['jobs'][number];
