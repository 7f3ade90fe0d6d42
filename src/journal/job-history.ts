import { z } from 'zod';
import type { FinalStatus, JobState, Report } from '../domain/job.ts';
import { noteOf } from '../domain/outcome.ts';
import { LIMITS } from '../limits.ts';
import type { Row } from './job-row.ts';

const sizes = z.object({ buildLogs: z.number(), stdout: z.number(), stderr: z.number(), result: z.number() });

const detail = z.object({
  container: z.string().optional(),
  /** By the wall clock, in milliseconds. */
  startedAt: z.number().optional(),
  why: z.string().optional(),
  status: z.number().optional(),
  durationMs: z.number().optional(),
  earned: z.number().optional(),
  buildLogs: z.string().optional(),
  /** What the agent says in the report about the end of the job. */
  note: z.string().optional(),
  /** In characters. */
  sizes: sizes.optional(),
});
type Detail = z.infer<typeof detail> & { readonly status?: FinalStatus | undefined };

const eventRow = z.object({ at: z.number(), state: z.string(), detail: z.string() });

/** A change of a job's state. `at` is in milliseconds of the wall clock; details that the state does not have are absent. */
export type JobEvent = Readonly<z.infer<typeof detail>> & { readonly at: number; readonly state: string };

/** The text that is stored of a new state. A report's outputs are left out: their ends have a table of their own. */
export function eventDetail(state: JobState): string {
  const { name: _name, ...rest } = state;
  if (!('report' in rest)) return JSON.stringify(rest);
  const { report, ...others } = rest;
  return JSON.stringify({ ...others, ...summary(report) } satisfies Detail);
}

function summary(report: Report): Detail {
  const note = noteOf(report);
  return {
    status: report.status,
    buildLogs: report.buildLogs.slice(0, LIMITS.journal.buildLogs.max),
    ...(note === undefined ? {} : { note }),
    sizes: {
      buildLogs: report.buildLogs.length,
      stdout: report.stdout.length,
      stderr: report.stderr.length,
      result: report.result.length,
    },
  };
}

/** Parses a row of the table `job_history`; details that are not as expected are left out, because they only inform. */
export function eventOf(row: Row): JobEvent {
  const { at, state, detail: text } = eventRow.parse(row);
  return { ...parse(text), at, state };
}

function parse(text: string): z.infer<typeof detail> | undefined {
  try {
    return detail.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
