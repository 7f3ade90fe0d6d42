/** A shorter path is part of ordinary words. */
const MIN_LENGTH = 8;

/** The URL for people: of one whose path or query is a secret only the origin. */
export function withoutPath(written: string): string {
  const url = URL.parse(written);
  if (url === null) return '[redacted]';
  return url.pathname.length > 1 || url.search !== '' ? `${url.origin}/…` : url.origin;
}

/** The secrets of such a URL. */
export function urlSecrets(written: string): readonly string[] {
  const url = URL.parse(written);
  if (url === null) return [];
  const path = `${url.pathname}${url.search}`.replace(/^\//, '');
  return [path, written].filter(({ length }) => length >= MIN_LENGTH && path.length >= MIN_LENGTH);
}
