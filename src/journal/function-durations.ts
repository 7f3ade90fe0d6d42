import { z } from 'zod';

/** The table of how long jobs took by function; one row per job, without a duration until the job has ended well. */
export const CREATE_JOB_FUNCTIONS = `CREATE TABLE IF NOT EXISTS job_functions (
    seq INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    function TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    duration_ms INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS job_functions_by_function ON job_functions (function, seq)
    WHERE duration_ms IS NOT NULL;`;

/** Finds the table in a journal that is only read; one that only an older agent has written has none. */
export const HAS_JOB_FUNCTIONS =
  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'job_functions'";

/** A job that is claimed again is the newest of its function. */
export const WRITE_FUNCTION =
  'INSERT OR REPLACE INTO job_functions (job, function, claimed_at) VALUES (?, ?, ?)';

export const WRITE_DURATION = 'UPDATE job_functions SET duration_ms = ? WHERE job = ?';

export const DELETE_FUNCTION = 'DELETE FROM job_functions WHERE job = ?';

/** The durations of the latest jobs of a function, newest first. */
export const LATEST_DURATIONS = `SELECT duration_ms FROM job_functions
  WHERE function = ? AND duration_ms IS NOT NULL ORDER BY seq DESC LIMIT ?`;

export const durationRows = z.array(z.object({ duration_ms: z.number() }));
