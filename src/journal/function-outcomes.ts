import { z } from 'zod';
import { JOB_STATUS } from '../domain/job.ts';
import type { FunctionOutcome, OutcomeStore } from '../domain/ports/outcome-store.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';
import { HAS_JOB_FUNCTIONS } from './function-durations.ts';

const LATEST = `SELECT f.function, json_extract(j.detail, '$.status') AS status
  FROM (SELECT seq, job, function FROM job_functions ORDER BY seq DESC LIMIT ?) f JOIN jobs j ON j.uuid = f.job
  WHERE j.state = 'reported' ORDER BY f.seq`;

const outcomeRows = z.array(
  z
    .object({ function: z.string(), status: z.number() })
    .transform(
      (row): FunctionOutcome => ({ function: row.function, isPaid: row.status !== JOB_STATUS.FAILED }),
    ),
);
const functionRow = z.object({ function: z.string() });

/** How jobs ended by function, from the journal. */
export class FunctionOutcomeTable implements OutcomeStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  latest(): readonly FunctionOutcome[] {
    const { prepared, read } = this.#access;
    const rows = read(() =>
      prepared(HAS_JOB_FUNCTIONS).get() === undefined
        ? []
        : prepared(LATEST).all(LIMITS.journal.outcomes.max),
    );
    return outcomeRows.parse(rows);
  }

  functionOf(job: string): string | undefined {
    const { prepared, read } = this.#access;
    const row = read(() => prepared('SELECT function FROM job_functions WHERE job = ?').get(job));
    return row === undefined ? undefined : functionRow.parse(row).function;
  }
}
