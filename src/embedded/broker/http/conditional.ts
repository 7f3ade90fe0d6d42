/** The longest that a call is held, in seconds. */
export const LONGEST_WAIT_SECONDS = 60;

/**
 * How long the client would wait for news (`Prefer: wait=25`, RFC 7240), in whole seconds, cut to the longest
 * that the broker holds; 0 where it would not.
 */
export function preferredWait(prefer: string | readonly string[] | undefined): number {
  const preferences = [prefer ?? []].flat().flatMap((line) => line.split(','));
  for (const preference of preferences) {
    const seconds = /^\s*wait\s*=\s*"?(\d+)"?\s*(;|$)/i.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), LONGEST_WAIT_SECONDS);
  }
  return 0;
}

/** Whether the client has this very version already (`If-None-Match`, weak comparison as RFC 9110 asks). */
export function isCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
