import { AgentError } from '../domain/errors.ts';
import { cut } from '../lib/cut.ts';
import { badAnswer } from './fields.ts';
import { MAX_SHOWN } from './sanitize.ts';

/** One request of a call. */
export type Hop = { readonly method: 'GET' | 'POST' | 'PATCH'; readonly url: URL };

/** Whether the status is a redirect with a `Location`. */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * The request after a redirect. 307, 308, and a 301 or 302 that only adds or removes a slash keep method and body; any other
 * redirect of a change throws BROKER_BAD_ANSWER. Another origin throws BROKER_REDIRECTED_AWAY, to protect the token.
 * `call`: the call for messages.
 */
export function nextHop(hop: Hop, status: number, location: string | undefined, call: string): Hop {
  const url = location === undefined ? null : URL.parse(location, hop.url.href);
  if (url === null) throw badAnswer(`${call}: the broker redirected without a valid location`);
  if (url.origin !== hop.url.origin) throw redirectedAway(hop.url, url);
  const keepsMethod = status === 307 || status === 308 || differsByItsSlash(hop.url, url);
  if (hop.method === 'GET' || keepsMethod) return { method: hop.method, url };
  throw badAnswer(`${call}: the broker redirected to another page (${status})`);
}

/** The error for a redirect to another origin. Paths and queries are left out because they may contain the token. */
export function redirectedAway(from: URL, to: URL): AgentError {
  const origin = cut(to.origin, MAX_SHOWN);
  const hint =
    to.protocol === 'https:' && from.protocol === 'http:' && to.hostname === from.hostname
      ? `set the broker’s URL to ${origin}`
      : `if ${origin} is the broker, set the broker’s URL to it`;
  return new AgentError('BROKER_REDIRECTED_AWAY', `the broker at ${from.origin} redirects to ${origin}`, {
    hint,
  });
}

function differsByItsSlash(from: URL, to: URL): boolean {
  return from.search === to.search && from.pathname.replace(/\/+$/, '') === to.pathname.replace(/\/+$/, '');
}
