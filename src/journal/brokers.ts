import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { OPEN_STATES } from '../domain/job.ts';
import type { Log } from '../lib/log.ts';

/** A broker that is at another address now, and how many jobs of it are not over. Both are base URLs. */
export type BrokerMove = { readonly from: string; readonly to: string; readonly jobs: number };

/** What the owner says about the broker, and who is told when the journal believes that it has moved. */
export type AboutBroker = {
  /** Whether the broker that open jobs belong to is the one at the new address, as its owner says. */
  readonly brokerMoved?: boolean;
  readonly onMoved?: (move: BrokerMove) => void;
};

/** Tells of moves in a log. */
export const tellMoves =
  (log: Log): NonNullable<AboutBroker['onMoved']> =>
  (move) =>
    log.warn(move, `the broker ${move.from} is at ${move.to} now: what it is owed goes there`);

/**
 * Makes all open jobs in a journal those of the broker at `home`. Throws CONFIG_INVALID, and changes nothing, where
 * they belong to another one: their reports must not go to this one.
 */
export function settleBroker(db: DatabaseSync, file: string, home: string, about: AboutBroker): void {
  const moves = ownersOfOpenJobs(db)
    .filter(({ from }) => from !== home)
    .map((owner) => ({ ...owner, to: home }));
  for (const { from } of moves)
    if (about.brokerMoved !== true && !isItsHttps(from, home)) throw ofAnother(file, from, home);
  for (const move of moves) {
    carryOut(db, move);
    about.onMoved?.(move);
  }
}

function ownersOfOpenJobs(db: DatabaseSync): readonly Omit<BrokerMove, 'to'>[] {
  const states = OPEN_STATES.map(() => '?').join();
  const sql = `SELECT broker AS "from", count(*) AS jobs FROM jobs WHERE state IN (${states}) GROUP BY broker`;
  return z.array(z.object({ from: z.string(), jobs: z.number() })).parse(db.prepare(sql).all(...OPEN_STATES));
}

/** Whether only http has become https: at the same host, and the same port or the usual ones. */
function isItsHttps(from: string, to: string): boolean {
  // Both name a port only where it is not the scheme's own.
  return from.startsWith('http:') && from.replace(/^http:/, 'https:') === to;
}

/** Offers and the lease go along; what was remembered of the new address is older than the open jobs are. */
function carryOut(db: DatabaseSync, { from, to }: BrokerMove): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare('UPDATE jobs SET broker = ? WHERE broker = ?').run(to, from);
    db.prepare('UPDATE OR REPLACE instances SET broker = ? WHERE broker = ?').run(to, from);
    db.prepare('UPDATE OR REPLACE meta SET key = ? WHERE key = ?').run(leaseKey(to), leaseKey(from));
    db.exec('COMMIT');
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw cause;
  }
}

/** Under which key a broker's lease is remembered. */
export function leaseKey(broker: string): string {
  return `lease ${broker}`;
}

function ofAnother(file: string, other: string, home: string): AgentError {
  return new AgentError(
    'CONFIG_INVALID',
    `the journal ${file} has unfinished jobs of the broker ${other}, but the agent is set to ${home}`,
    {
      hint: `If that broker has moved to ${home}, say so by sharedcloud-agent broker-moved, set like the agent. If not, start the agent with --broker-url ${other} until these are reported, or give this broker a --state-dir of its own.`,
    },
  );
}
