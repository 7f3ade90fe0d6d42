import { z } from 'zod';
import { JOB_STATUS } from '../domain/job.ts';
import type { PaidTime } from '../domain/ports/job-sums.ts';
import type { Access } from './access.ts';

/** More jobs say less about what comes. */
const LATEST = 500;
const PAID = [JOB_STATUS.SUCCEEDED, JOB_STATUS.TIMEOUT] as const;

/** Released jobs have no report; how long they ran is known from their energy. */
const SUMS = `SELECT coalesce(sum(ms), 0) AS busyMs, coalesce(sum(CASE WHEN is_paid THEN ms END), 0) AS paidMs FROM (
    SELECT max(0, coalesce(json_extract(detail, '$.durationMs'), (SELECT ms FROM job_energy WHERE job = uuid), 0)) AS ms,
      state = 'reported' AND json_extract(detail, '$.status') IN (${PAID.join()}) AS is_paid
    FROM jobs WHERE state IN ('reported', 'released') ORDER BY seq DESC LIMIT ${LATEST})`;

const row = z.object({ busyMs: z.number(), paidMs: z.number() });

/** For how long the latest jobs kept a slot busy, and for how much of it they were paid. */
export function paidTime({ prepared, read }: Access): PaidTime {
  return row.parse(read(() => prepared(SUMS).get()));
}
