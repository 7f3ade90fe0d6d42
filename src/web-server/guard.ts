import { AgentError } from '../domain/errors.ts';
import { isLoopback } from '../lib/loopback.ts';

/** By which names the page may be asked for. */
export type HostRules = {
  /** The address that it listens on. */
  readonly listen: string;
  /** `--listen-host`. */
  readonly names: readonly string[];
};

/** What of a request decides whether it is answered at all. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  /** Every header `Host`. */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`, which browsers send and no script can set. */
  readonly site: string | undefined;
  /** Whether it carries the session's key as a header, which another site's page cannot send. */
  readonly hasKey: boolean;
};

/** Why a request must not be answered; undefined: it may. Pure. */
export function refusalOf(seen: Seen, rules: HostRules): AgentError | undefined {
  const { hosts, method, origin, site, url } = seen;
  // The form for proxies names another host beside `Host`, and `//` would be read as one.
  if (!/^\/(?!\/)/.test(url))
    return new AgentError('CONTROL_INVALID', 'the address of the request is no path');
  const [host, ...more] = hosts;
  const asked = host === undefined || more.length > 0 ? undefined : parsedHost(host);
  if (asked === undefined) return new AgentError('HOST_REFUSED', 'the request names no host, or several');
  if (!isAllowed(asked.hostname, rules)) {
    const name = asked.hostname.slice(0, 100);
    return new AgentError('HOST_REFUSED', `${name} is not a name of this page`, {
      hint: `if it is yours, add --listen-host ${name}`,
    });
  }
  // Files are for everybody, and a link to the page is no fault.
  const isData = url.startsWith('/api/') || url.startsWith('/session');
  const isChange = !['GET', 'HEAD'].includes(method);
  if ((isData || isChange) && site !== undefined && site !== 'same-origin' && site !== 'none')
    return foreign(`a page of another origin (${site.slice(0, 20)})`);
  if (!isChange) return undefined;
  if (origin === undefined)
    return seen.hasKey ? undefined : foreign('a request without the header Origin or a session’s key');
  return isSame(origin, host ?? '') ? undefined : foreign(`a page of ${origin.slice(0, 100)}`);
}

function foreign(what: string): AgentError {
  return new AgentError('ORIGIN_REFUSED', `refused: ${what}`);
}

function parsedHost(host: string): URL | undefined {
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host)) return undefined;
  return URL.parse(`http://${host}`) ?? undefined;
}

function isAllowed(hostname: string, { listen, names }: HostRules): boolean {
  const name = plainName(hostname);
  if (isLoopback(hostname) || name === plainName(listen)) return true;
  // A browser that was sent here by a name says that name; an address cannot be made to mean another host.
  if (isEveryAddress(listen) && isAddress(name)) return true;
  return names.some((one) => plainName(one) === name);
}

function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** Whether an address stands for all of this host. */
export function isEveryAddress(listen: string): boolean {
  return listen === '0.0.0.0' || /^[0:]+$/.test(listen);
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

/** By the origin's scheme, since behind a proxy the page may have another one than here. */
function isSame(origin: string, host: string): boolean {
  const from = URL.parse(origin);
  if (from === null || !/^https?:$/.test(from.protocol) || from.origin !== origin) return false;
  return URL.parse(`${from.protocol}//${host}`)?.host === from.host;
}
