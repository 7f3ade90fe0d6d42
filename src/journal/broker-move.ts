import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { OPEN_STATES } from '../domain/job.ts';
import type { Log } from '../lib/log.ts';
import { ADD_TO_OTHER, REMOVE_BROKER } from './ledger-brokers.ts';

/** A broker's old and new base URL, and how many of its jobs are unfinished. */
export type BrokerMove = { readonly from: string; readonly to: string; readonly jobs: number };

export type BrokerMoveOptions = {
  /** The owner's confirmation that the broker of the unfinished jobs is now at the new URL. */
  readonly brokerMoved?: boolean;
  readonly onMoved?: (move: BrokerMove) => void;
};

const BROKERS = 'SELECT broker FROM instances UNION SELECT broker FROM ledger_brokers';

/** Logs a move. */
export const logMove =
  (log: Log): NonNullable<BrokerMoveOptions['onMoved']> =>
  (move) =>
    log.warn(
      { event: 'broker-moved', ...move },
      `broker moved from ${move.from} to ${move.to}${move.jobs === 0 ? '' : ', pending reports go there'}`,
    );

/**
 * Assigns all unfinished jobs in a journal to the broker at `url`, with the books of its former address. Throws CONFIG_INVALID
 * and changes nothing if they belong to another broker, which must not lose its reports to this one.
 */
export function assignBroker(db: DatabaseSync, file: string, url: string, options: BrokerMoveOptions): void {
  const open = brokersOfOpenJobs(db).filter(({ from }) => from !== url);
  for (const { from } of open)
    if (options.brokerMoved !== true && !isHttpsOf(from, url)) throw otherBroker(file, from, url);
  const idle = idleBrokers(db)
    .filter(({ from, isLast }) => isHttpsOf(from, url) || (options.brokerMoved === true && isLast))
    .filter(({ from }) => from !== url && !open.some((one) => one.from === from));
  for (const { from, jobs } of [...open, ...idle]) {
    const move = { from, to: url, jobs };
    apply(db, move);
    options.onMoved?.(move);
  }
}

/** All brokers that this host has worked for; whose job is the last one. */
function idleBrokers(db: DatabaseSync): readonly (Omit<BrokerMove, 'to'> & { readonly isLast: boolean })[] {
  const rows = z.array(z.object({ broker: z.string() }));
  const all = rows.parse(db.prepare(BROKERS).all());
  const last = rows.parse(db.prepare('SELECT broker FROM jobs ORDER BY seq DESC LIMIT 1').all());
  return all.map(({ broker: from }) => ({ from, jobs: 0, isLast: from === last[0]?.broker }));
}

function brokersOfOpenJobs(db: DatabaseSync): readonly Omit<BrokerMove, 'to'>[] {
  const states = OPEN_STATES.map(() => '?').join();
  const sql = `SELECT broker AS "from", count(*) AS jobs FROM jobs WHERE state IN (${states}) GROUP BY broker`;
  return z.array(z.object({ from: z.string(), jobs: z.number() })).parse(db.prepare(sql).all(...OPEN_STATES));
}

/** Whether `to` is the https URL of `from`: the same host and path, and the same port or both default ports. */
function isHttpsOf(from: string, to: string): boolean {
  // A normalized URL has no default port.
  return from.startsWith('http:') && from.replace(/^http:/, 'https:') === to;
}

/** Moves jobs, their books, instances and the lease; the latter two replace what the journal has of the new URL, which is older. */
function apply(db: DatabaseSync, { from, to }: BrokerMove): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare('UPDATE jobs SET broker = ? WHERE broker = ?').run(to, from);
    db.prepare(ADD_TO_OTHER).run({ from, to });
    db.prepare(REMOVE_BROKER).run(from);
    db.prepare('UPDATE OR REPLACE instances SET broker = ? WHERE broker = ?').run(to, from);
    db.prepare('UPDATE OR REPLACE meta SET key = ? WHERE key = ?').run(leaseKey(to), leaseKey(from));
    db.exec('COMMIT');
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw cause;
  }
}

/** The key of a broker's lease in the table `meta`. */
export function leaseKey(broker: string): string {
  return `lease ${broker}`;
}

function otherBroker(file: string, other: string, url: string): AgentError {
  return new AgentError(
    'CONFIG_INVALID',
    `the journal ${file} has unfinished jobs of the broker ${other}, but the broker’s URL is ${url}`,
    {
      hint: `if the broker moved, run \`sharedcloud-agent broker-moved\` with the agent’s options; if not, run the agent with --broker-url ${other} until the jobs are reported, or use another --state-dir`,
    },
  );
}
