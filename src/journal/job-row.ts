import type { SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import {
  canTransition,
  JOB_STATES,
  JOB_STATUS,
  type JobRecord,
  type JobState,
  type JobStateName,
} from '../domain/job.ts';
import { cut } from '../lib/cut.ts';
import { LIMITS } from '../limits.ts';

const finalStatus = z.literal([JOB_STATUS.SUCCEEDED, JOB_STATUS.FAILED, JOB_STATUS.TIMEOUT]);

const report = z.strictObject({
  status: finalStatus,
  buildLogs: z.string(),
  stdout: z.string(),
  stderr: z.string(),
  result: z.string(),
});

const since = z.strictObject({ boot: z.string(), upMs: z.number() });

const jobState: z.ZodType<JobState> = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('claiming') }),
  z.strictObject({ name: z.literal('claimed') }),
  z.strictObject({ name: z.literal('starting'), container: z.string(), since }),
  z.strictObject({ name: z.literal('running'), container: z.string(), startedAt: z.number(), since }),
  z.strictObject({ name: z.literal('finished'), report, durationMs: z.number() }),
  z.strictObject({
    name: z.literal('reported'),
    status: finalStatus,
    durationMs: z.number(),
    earned: z.number(),
  }),
  z.strictObject({ name: z.literal('releasing'), why: z.string() }),
  z.strictObject({ name: z.literal('released'), why: z.string() }),
  z.strictObject({ name: z.literal('cancelling'), why: z.string() }),
  z.strictObject({ name: z.literal('dropped'), why: z.string() }),
]);

const detail = z.string().transform((text, context) => {
  try {
    return jobState.parse(JSON.parse(text));
  } catch (cause) {
    context.addIssue({ code: 'custom', message: cause instanceof Error ? cause.message : String(cause) });
    return z.NEVER;
  }
});

/** The columns of a job but for the detail of its state. */
export const JOB_COLUMNS = z.object({
  uuid: z.string(),
  run: z.string(),
  function_name: z.string(),
  offer_key: z.string(),
  instance: z.string(),
  slot: z.string(),
  gpu: z.string().nullable(),
  ask_price: z.number(),
  image: z.string(),
  timeout_ms: z.number(),
  state: z.enum(JOB_STATES),
  claimed_at: z.number(),
  updated_at: z.number(),
});

const jobRow = JOB_COLUMNS.extend({ detail }).refine((row) => row.state === row.detail.name, {
  message: 'state and detail have different states',
});

/** The state with its reason cut: the broker or the engine may have written it. */
export function boundState(state: JobState): JobState {
  return 'why' in state ? { ...state, why: cut(state.why, LIMITS.journal.reason.max) } : state;
}

/** A row of the table `jobs`. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Parses a row. Throws JOURNAL_UNUSABLE if this agent cannot have written it. */
export function recordOf(row: Row): JobRecord {
  const parsed = jobRow.safeParse(row);
  if (!parsed.success) {
    throw new AgentError(
      'JOURNAL_UNUSABLE',
      `the journal’s entry of job ${String(row['uuid'])} is invalid: ${z.prettifyError(parsed.error)}`,
      {
        hint: 'restore the journal from a backup, or move it away to start with an empty one',
        cause: parsed.error,
      },
    );
  }
  return jobOf(parsed.data, parsed.data.detail);
}

/** The job of a row, with its state as it was read. */
export function jobOf<State>(
  row: z.infer<typeof JOB_COLUMNS>,
  state: State,
): Omit<JobRecord, 'state'> & { readonly state: State } {
  return {
    uuid: row.uuid,
    run: row.run,
    functionName: row.function_name,
    offerKey: row.offer_key,
    instance: row.instance,
    slot: row.slot,
    gpu: row.gpu,
    askPrice: row.ask_price,
    image: row.image,
    timeoutMs: row.timeout_ms,
    state,
    claimedAt: row.claimed_at,
    updatedAt: row.updated_at,
  };
}

/** Throws INTERNAL for a transition that `canTransition` forbids. */
export function checkTransition(job: JobRecord, to: JobStateName): void {
  if (canTransition(job.state.name, to)) return;
  throw new AgentError('INTERNAL', `job ${job.uuid} is ${job.state.name} and cannot become ${to}`);
}
