import { z } from 'zod';
import { type ErrorCode, isErrorCode } from '../domain/errors.ts';
import { INSTANT } from './instant.ts';
import { HOLD, STATUS } from './status-schema.ts';

/** The version of all requests and answers of the control API. It rises where an older client could misread an answer. */
export const SCHEMA = 1;

/** Who calls, as a header; for the record of changes. */
export const CALLER_HEADER = 'x-sharedcloud-caller';

const TARGETS = {
  /** GPUs by index, uuid, the beginning of one, or model; `cpu`; none: everything. */
  targets: z.array(z.string().min(1).max(200)).max(256).default([]),
  /** GPUs by the minor number of their device file. */
  minors: z.array(z.int().min(0).max(4096)).max(256).default([]),
};
const LASTING = {
  /** Ends after so many milliseconds. */
  forMs: z
    .number()
    .positive()
    .max(10 * 366 * 86_400_000)
    .optional(),
  /** Ends at this time. */
  until: INSTANT.optional(),
  /** Ends at the next change of the schedule. */
  untilNext: z.literal(true).optional(),
};
const PAUSE = {
  ...TARGETS,
  ...LASTING,
  note: z.string().max(500).optional(),
  /** Pauses with other tags are other pauses. */
  tag: z.string().max(100).default(''),
};
const isOneEnd = (body: { forMs?: unknown; until?: unknown; untilNext?: unknown }): boolean =>
  [body.forMs, body.until, body.untilNext].filter((end) => end !== undefined).length <= 1;
const ONE_END = 'forMs, until and untilNext exclude each other';

/** The bodies of requests. What they do not know is refused. */
export const REQUESTS = {
  pause: z.strictObject(PAUSE).refine(isOneEnd, ONE_END),
  reclaim: z
    .strictObject({
      ...PAUSE,
      /** How long jobs have between SIGTERM and SIGKILL, in milliseconds. */
      withinMs: z.number().min(0).max(600_000).default(3_000),
      /** The ids of the jobs that may be stopped, or whether all may; where another runs, nothing is changed (NOT_CONFIRMED). */
      confirmed: z.union([z.boolean(), z.array(z.string().min(1).max(100)).max(1_000)]).default(false),
    })
    .refine(isOneEnd, ONE_END),
  preview: z.strictObject(TARGETS),
  resume: z.strictObject({ ...TARGETS, tag: z.string().max(100).optional() }),
  pageLink: z.strictObject({ readOnly: z.boolean().default(false) }),
  pageSignOut: z.strictObject({}),
  desk: z.strictObject({ games: z.int().min(0).max(10_000) }),
  mode: z
    .strictObject({ ...TARGETS, ...LASTING, mode: z.enum(['auto', 'on', 'off']) })
    .refine(isOneEnd, ONE_END),
} as const;

const TARGET_STATE = z.object({
  target: z.string(),
  name: z.string(),
  /** What the owner decided about rules. */
  mode: z.enum(['auto', 'on', 'off']),
  hold: HOLD.nullable(),
});
const EVICTED = z.object({
  job: z.string(),
  function: z.string(),
  target: z.string(),
  ranMs: z.number(),
  unpaid: z.number(),
  endsBy: INSTANT,
});
const MEMORY = z.object({
  gpu: z.string(),
  state: z.enum(['free', 'in-use', 'unknown']),
  inUseMiB: z.number(),
  processes: z.array(z.object({ pid: z.number(), usedMiB: z.number().nullable() })),
});
const COMMAND = { changed: z.boolean(), targets: z.array(TARGET_STATE) };
/** An event as its line of the log says it. `seq` rises, also over a restart of the agent. */
export const EVENT = z.object({
  seq: z.number(),
  at: INSTANT,
  level: z.enum(['debug', 'info', 'warn', 'error']),
  event: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).readonly(),
});
/** A piece of a job's output; `leftOut`: something before it is no longer known. `unknown`: nothing of it is kept. A followed job that ends is `ended` last. */
const OUTPUT = z.object({
  job: z.string(),
  state: z.enum(['running', 'ended', 'unknown']),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  leftOut: z.boolean(),
});
const TEXT = z.string().nullable();

/** The answers, without `schema`. */
export const ANSWERS = {
  status: STATUS,
  event: EVENT,
  output: OUTPUT,
  command: z.object(COMMAND),
  /** `left` are jobs that the engine has not ended yet, `problem` says why; the memory of their GPUs is not looked at. */
  reclaim: z.object({
    ...COMMAND,
    jobs: z.array(EVICTED),
    gpus: z.array(MEMORY),
    left: z.array(z.string()),
    problem: z.object({ why: z.string(), hint: TEXT }).nullable(),
    tookMs: z.number(),
  }),
  preview: z.object({ jobs: z.array(EVICTED) }),
  /** `url` is null where the page is not served, and `why` says why; of a page that was turned off both are null. */
  page: z.object({ url: TEXT, why: TEXT, hint: TEXT }),
  /** `others`: addresses for other machines, as far as they can be known. */
  pageLink: z.object({
    url: z.string(),
    others: z.array(z.string()).readonly(),
    rights: z.array(z.enum(['read', 'control'])).readonly(),
    expiresAt: INSTANT,
  }),
  pageSignOut: z.object({}),
  desk: z.object({ leaseMs: z.number() }),
  desks: z.object({ desks: z.array(z.object({ user: z.string(), games: z.number() })) }),
  /** `why` is null where jobs can be claimed, as far as this host is concerned; `hint` is for `why`, else for `degraded`. */
  health: z.object({ status: z.string(), why: TEXT, hint: TEXT, degraded: TEXT }),
} as const;

export type HoldAnswer = z.infer<typeof HOLD>;
export type ShownOutput = z.infer<typeof OUTPUT>;
export type ShownEvent = z.infer<typeof EVENT>;
export type CommandAnswer = z.infer<typeof ANSWERS.command>;
export type ReclaimAnswer = z.infer<typeof ANSWERS.reclaim>;
export type EvictedAnswer = z.infer<typeof EVICTED>;
export type HealthReport = z.infer<typeof ANSWERS.health>;

/** The body of a request that has none. */
export const NOTHING = z.undefined();

/** Every answer names its version and the agent's. */
export const ENVELOPE = z.object({ schema: z.number(), version: z.string() });

/** The answer to what cannot be done. */
export const FAILURE = z.object({
  error: z.object({
    code: z.string().transform((code): ErrorCode => (isErrorCode(code) ? code : 'INTERNAL')),
    message: z.string(),
    hint: z.string().nullable(),
  }),
});
