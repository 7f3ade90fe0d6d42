import { localDaySql } from './ledger-sql.ts';

/**
 * What each broker has confirmed of the ledger, for ever, by the same days. What is in the ledger and not here is of jobs that
 * an older agent has entered and that are gone: it counts for whichever broker is asked about.
 */
export const CREATE_LEDGER_BROKERS = `CREATE TABLE IF NOT EXISTS ledger_brokers (
    day TEXT NOT NULL,
    broker TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    micro_dollars INTEGER NOT NULL,
    PRIMARY KEY (day, broker)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ledger_brokers (day, broker, jobs, micro_dollars)
    SELECT ${localDaySql('at')}, broker, count(*), sum(micro_dollars) FROM ledger_jobs JOIN jobs ON uuid = job
    WHERE NOT EXISTS (SELECT 1 FROM ledger_brokers) GROUP BY 1, 2;`;

const OR_ADD = `ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, micro_dollars = micro_dollars + excluded.micro_dollars`;

/** Adds a paid job: its day, its micro-dollars, its uuid. */
export const ADD_TO_BROKER = `INSERT INTO ledger_brokers (day, broker, jobs, micro_dollars)
  SELECT ?, broker, 1, ? FROM jobs WHERE uuid = ? ${OR_ADD}`;

/** Moves what is of the broker `$from` to `$to`. */
export const ADD_TO_OTHER = `INSERT INTO ledger_brokers (day, broker, jobs, micro_dollars)
  SELECT day, $to, jobs, micro_dollars FROM ledger_brokers WHERE broker = $from ${OR_ADD}`;
export const REMOVE_BROKER = 'DELETE FROM ledger_brokers WHERE broker = ?';

/** In micro-dollars: of a broker, and of all where it is null. */
export const TOTAL_AT = `SELECT (SELECT coalesce(sum(micro_dollars), 0) FROM ledger_days)
  - (SELECT coalesce(sum(micro_dollars), 0) FROM ledger_brokers WHERE broker <> $broker) AS total`;
