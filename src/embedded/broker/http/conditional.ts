/** The longest that a call is held, in seconds. */
export const MAX_WAIT_SECONDS = 60;

/** The wait that the client asks for (`Prefer: wait=25`, RFC 7240), at most the maximum; 0: none. */
export function preferredWait(prefer: string | readonly string[] | undefined): number {
  const preferences = [prefer ?? []].flat().flatMap((line) => line.split(','));
  for (const preference of preferences) {
    const seconds = /^\s*wait\s*=\s*"?(\d+)"?\s*(;|$)/i.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), MAX_WAIT_SECONDS);
  }
  return 0;
}

/** Whether the client has this version (`If-None-Match`, weak comparison by RFC 9110). */
export function isCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
