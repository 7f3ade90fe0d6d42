/** What stands in a path of the broker's API for itself; anything else is a value, such as a uuid. */
const WORDS: ReadonlySet<string> = new Set([
  'account',
  'add-image',
  'functions',
  'gpus',
  'images',
  'instances',
  'jobs',
  'offers',
  'runs',
  'start',
  'stop',
  'users',
]);

/** Of a longer path only so much is named. */
const MAX_PARTS = 3;

/**
 * The endpoint of a call, such as `GET runs` or `PATCH jobs/:id`: without the values in its path, so that there are few of
 * them whatever pages the broker names. Pure.
 */
export function endpointName(method: string, path: string): string {
  const [, rest] = /^.*?\/api\/v1\/(.*)$/.exec(path) ?? [];
  if (rest === undefined) return `${method} other`;
  const parts = rest.split('/').filter((part) => part !== '');
  if (!WORDS.has(parts[0] ?? '')) return `${method} other`;
  return `${method} ${parts
    .slice(0, MAX_PARTS)
    .map((part) => (WORDS.has(part) ? part : ':id'))
    .join('/')}`;
}
