/** Reading the broker's lists may take this part of the time. */
const BUSY_SHARE = 0.1;

/** The rest after a list that kept this process busy for so long, in milliseconds: a broker may send a gigabyte each time. */
export function restAfter(busyMs: number): number {
  return busyMs * (1 / BUSY_SHARE - 1);
}
