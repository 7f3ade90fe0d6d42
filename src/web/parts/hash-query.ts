import { useState } from 'preact/hooks';

/** What stands behind the `?` of the address, so that a view comes back as it was left; and what changes it. */
export function useHashQuery(): readonly [
  query: Readonly<Record<string, string>>,
  set: (name: string, value: string) => void,
] {
  const [query, setQuery] = useState(queryNow);
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(queryNow());
    if (value === '') next.delete(name);
    else next.set(name, value);
    const path = location.hash.split('?', 1)[0] ?? '';
    // Not a step of the history: a letter that is typed is nothing to come back to.
    history.replaceState(history.state, '', next.size === 0 ? path : `${path}?${next}`);
    setQuery(queryNow());
  };
  return [query, set];
}

function queryNow(): Readonly<Record<string, string>> {
  const at = location.hash.indexOf('?');
  return Object.fromEntries(new URLSearchParams(at < 0 ? '' : location.hash.slice(at + 1)));
}
