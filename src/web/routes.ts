/** A view of the page by the address behind `#`. */
export type Route =
  | { readonly view: 'now' | 'jobs' | 'money' | 'market' | 'events' | 'settings' | 'none' }
  | { readonly view: 'job'; readonly id: string };

/** The views in the order of the navigation. */
export const VIEWS = [
  { view: 'now', path: '#/', title: 'Now' },
  { view: 'jobs', path: '#/jobs', title: 'Jobs' },
  { view: 'money', path: '#/money', title: 'Money' },
  { view: 'market', path: '#/market', title: 'Market' },
  { view: 'events', path: '#/events', title: 'Events' },
  { view: 'settings', path: '#/settings', title: 'Settings' },
] as const;

/** The address of a job’s view. Pure. */
export function jobPath(job: string): string {
  return `#/jobs/${encodeURIComponent(job)}`;
}

/** The view of an address's part behind `#`; what follows a `?` there is the view's own. Pure. */
export function routeOf(hash: string): Route {
  const path = hash.split('?', 1)[0]?.replace(/\/+$/, '') ?? '';
  if (path === '' || path === '#') return { view: 'now' };
  const found = VIEWS.find((one) => one.path === path);
  if (found !== undefined) return { view: found.view };
  const id = /^#\/jobs\/([^/]+)$/.exec(path)?.[1];
  return id === undefined ? { view: 'none' } : { view: 'job', id: decoded(id) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
