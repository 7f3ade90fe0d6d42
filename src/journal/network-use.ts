import { z } from 'zod';
import type { JobRecord } from '../domain/job.ts';
import type { NetworkUse } from '../domain/network-use.ts';
import type { Access } from './access.ts';
import type { Row } from './job-row.ts';

/** Finds the table in a journal that is only read; one that only an older agent has written has none. */
const HAS_NETWORK_USE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'network_use'";

/** Writes the use of a container, or what has changed of it. */
const WRITE_USE = `INSERT INTO network_use
    (job, container, address, started_at, ended_at, sent_bytes, received_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (container) DO UPDATE SET
    address = coalesce(excluded.address, address),
    ended_at = coalesce(excluded.ended_at, ended_at),
    sent_bytes = coalesce(excluded.sent_bytes, sent_bytes),
    received_bytes = coalesce(excluded.received_bytes, received_bytes)`;

/** Ends at a time the use of all containers but those in a JSON array of ids. */
const END_OTHER_USES = `UPDATE network_use SET ended_at = max(?, started_at)
  WHERE ended_at IS NULL AND container NOT IN (SELECT value FROM json_each(?))`;

/** The values of WRITE_USE. */
function useValues(use: NetworkUse): (string | number | null)[] {
  const { address, container, endedAt, job, startedAt, traffic } = use;
  return [
    job,
    container,
    address,
    startedAt,
    endedAt,
    traffic?.sentBytes ?? null,
    traffic?.receivedBytes ?? null,
  ];
}

/** The latest use of one job since a time. */
const LATEST_USE = `SELECT * FROM network_use WHERE job = ? AND started_at >= ? ORDER BY seq DESC LIMIT 1`;

/**
 * The containers that had an address at some time between two times. One with no known end had it until the next
 * one got it.
 */
const USES_AT = `SELECT * FROM (
    SELECT *, coalesce(ended_at, (SELECT min(later.started_at) FROM network_use later
      WHERE later.address = network_use.address AND later.seq > network_use.seq)) AS had_until
    FROM network_use)
  WHERE address IS ? AND started_at <= ? AND (had_until IS NULL OR had_until >= ?) ORDER BY seq`;

const ROW = z.object({
  job: z.string(),
  container: z.string(),
  address: z.string().nullable(),
  started_at: z.number(),
  ended_at: z.number().nullable(),
  sent_bytes: z.number().nullable(),
  received_bytes: z.number().nullable(),
});

/** Parses a row of the table. */
function useOf(row: Row): NetworkUse {
  const { address, container, ended_at, job, received_bytes, sent_bytes, started_at } = ROW.parse(row);
  const isKnown = sent_bytes !== null && received_bytes !== null;
  const traffic = isKnown ? { sentBytes: sent_bytes, receivedBytes: received_bytes } : null;
  return { job, container, address, startedAt: started_at, endedAt: ended_at, traffic };
}

/** The network use of containers, in the journal. */
export class NetworkUseTable {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Writes a container's use of the network, or what has changed of it; what is null stays as it was. */
  record(use: NetworkUse): void {
    this.#access.write(() => this.#access.prepared(WRITE_USE).run(...useValues(use)));
  }

  /** Ends at this time the use of all containers but these. */
  endOthers(containers: readonly string[], at: number): void {
    this.#access.write(() => this.#access.prepared(END_OTHER_USES).run(at, JSON.stringify(containers)));
  }

  /** The latest of one job since its last claim. */
  latest({ claimedAt, uuid }: Pick<JobRecord, 'claimedAt' | 'uuid'>): NetworkUse | undefined {
    return this.#uses(LATEST_USE, uuid, claimedAt)[0];
  }

  /** The containers that had the address, or none that is known, at some time from `fromMs` to `toMs`, oldest first. */
  at(address: string | null, fromMs: number, toMs: number): readonly NetworkUse[] {
    return this.#uses(USES_AT, address, toMs, fromMs);
  }

  /** A journal that only an older agent has written has none. */
  #uses(sql: string, ...values: readonly (string | number | null)[]): readonly NetworkUse[] {
    const { prepared, read } = this.#access;
    const rows = read(() =>
      prepared(HAS_NETWORK_USE).get() === undefined ? [] : prepared(sql).all(...values),
    );
    return rows.map(useOf);
  }
}
