/** Reading the broker's lists may take this part of the time. */
const BUSY_SHARE = 0.1;
/** So that a busy machine does not look away from a market, or from its leases, for minutes. */
const MAX_REST_MS = 30_000;

/** The rest after a list that kept this process busy for so long, in milliseconds: a broker may send a gigabyte each time. */
export function restAfter(busyMs: number): number {
  return Math.min(busyMs * (1 / BUSY_SHARE - 1), MAX_REST_MS);
}
