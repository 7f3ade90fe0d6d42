import { z } from 'zod';
import type { NetworkUse } from '../domain/network-use.ts';
import type { Row } from './job-row.ts';

/** Finds the table in a journal that is only read; one that only an older agent has written has none. */
export const HAS_NETWORK_USE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'network_use'";

/** Writes the use of a container, or what has changed of it. */
export const WRITE_USE = `INSERT INTO network_use
    (job, container, address, started_at, ended_at, sent_bytes, received_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (container) DO UPDATE SET
    address = coalesce(excluded.address, address),
    ended_at = coalesce(excluded.ended_at, ended_at),
    sent_bytes = coalesce(excluded.sent_bytes, sent_bytes),
    received_bytes = coalesce(excluded.received_bytes, received_bytes)`;

/** Ends at a time the use of all containers but those in a JSON array of ids. */
export const END_OTHER_USES = `UPDATE network_use SET ended_at = max(?, started_at)
  WHERE ended_at IS NULL AND container NOT IN (SELECT value FROM json_each(?))`;

/** The values of WRITE_USE. */
export function useValues(use: NetworkUse): (string | number | null)[] {
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
export const LATEST_USE = `SELECT * FROM network_use WHERE job = ? AND started_at >= ? ORDER BY seq DESC LIMIT 1`;

/**
 * The containers that had an address at some time between two times. One with no known end had it until the next
 * one got it.
 */
export const USES_AT = `SELECT * FROM (
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
export function useOf(row: Row): NetworkUse {
  const { address, container, ended_at, job, received_bytes, sent_bytes, started_at } = ROW.parse(row);
  const isKnown = sent_bytes !== null && received_bytes !== null;
  const traffic = isKnown ? { sentBytes: sent_bytes, receivedBytes: received_bytes } : null;
  return { job, container, address, startedAt: started_at, endedAt: ended_at, traffic };
}
