import { AgentError } from '../domain/errors.ts';
import { badAnswer } from './fields.ts';

/** One request of a call. */
export type Hop = { readonly method: 'GET' | 'POST' | 'PATCH'; readonly url: URL };

/** Whether the status is a redirect that names another address. */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * Where to go after a redirect. A change stays a change (its method and body are sent again): for 307 and 308,
 * and for the 301 or 302 of a server that wants its slash. Other redirects of a change lead to a login page or
 * the like and are refused. Throws BROKER_REDIRECTED_AWAY for another origin: the token is never carried there.
 */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop {
  const url = location === undefined ? null : URL.parse(location, hop.url.href);
  if (url === null) throw badAnswer(`the broker redirected ${hop.method} ${hop.url.pathname} to nowhere`);
  if (url.origin !== hop.url.origin) throw redirectedAway(hop.url, url);
  const keepsMethod = status === 307 || status === 308 || differsByItsSlash(hop.url, url);
  if (hop.method === 'GET' || keepsMethod) return { method: hop.method, url };
  throw badAnswer(`the broker redirected ${hop.method} ${hop.url.pathname} to another page (${status})`);
}

/** The error about an address of another origin. Both are shown without their path and query. */
export function redirectedAway(from: URL, to: URL): AgentError {
  const hint =
    to.protocol === 'https:' && from.protocol === 'http:' && to.hostname === from.hostname
      ? `set the broker’s URL to ${to.origin}`
      : `if ${to.origin} is the broker, set its URL to that; the token is not sent there before`;
  return new AgentError('BROKER_REDIRECTED_AWAY', `the broker at ${from.origin} points to ${to.origin}`, {
    hint,
  });
}

function differsByItsSlash(from: URL, to: URL): boolean {
  return from.search === to.search && from.pathname.replace(/\/+$/, '') === to.pathname.replace(/\/+$/, '');
}
