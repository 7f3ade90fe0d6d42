import { z } from 'zod';
import type { Report } from '../domain/job.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';

/** The ends of what the latest jobs printed, for the owner; the whole report is deleted once the broker has it. */
export const CREATE_JOB_OUTPUTS = `CREATE TABLE IF NOT EXISTS job_outputs (
    seq INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    stdout TEXT NOT NULL,
    stderr TEXT NOT NULL
  ) STRICT;`;

const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'job_outputs'";
const WRITE = 'INSERT OR REPLACE INTO job_outputs (job, at, stdout, stderr) VALUES (?, ?, ?, ?)';
const DELETE_OLD = 'DELETE FROM job_outputs WHERE seq <= (SELECT max(seq) FROM job_outputs) - ?';
const READ = 'SELECT stdout, stderr FROM job_outputs WHERE job = ?';
const outputRow = z.object({ stdout: z.string(), stderr: z.string() });

/** The ends of what a job printed. */
export type KeptOutput = z.infer<typeof outputRow>;

/** The outputs of ended jobs in the journal. */
export class JobOutputTable {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Keeps the ends of a report's outputs; to be called in the transaction that writes the report. */
  add(job: string, { stderr, stdout }: Report, at: number): void {
    const { prepared } = this.#access;
    const max = LIMITS.journal.output.max;
    prepared(WRITE).run(job, at, stdout.slice(-max), stderr.slice(-max));
    prepared(DELETE_OLD).run(LIMITS.journal.outputs.max);
  }

  /** Undefined: nothing is kept of it. */
  of(job: string): KeptOutput | undefined {
    const { prepared, read } = this.#access;
    const row = read(() => (prepared(EXISTS).get() === undefined ? undefined : prepared(READ).get(job)));
    return row === undefined ? undefined : outputRow.parse(row);
  }
}
