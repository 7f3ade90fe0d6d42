import { BlockList, isIP } from 'node:net';
import { AgentError } from '../domain/errors.ts';
import { isLoopback } from '../lib/loopback.ts';
import { decoded, parseProxyUrl, withoutCredentials } from '../lib/proxy-url.ts';

/** What the owner configured, as it was written; undefined: nothing. */
export type ProxySettings = {
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: readonly string[];
};

/** An HTTP proxy. */
export type Proxy = {
  /** Without credentials, for messages: `http://proxy.example:3128`. */
  readonly origin: string;
  /** The value of `Proxy-Authorization`; undefined: none. */
  readonly authorization: string | undefined;
  readonly setting: 'http-proxy' | 'https-proxy';
};

/** How a server is reached, and why without a proxy. */
export type Route =
  | { readonly kind: 'proxy'; readonly proxy: Proxy }
  | { readonly kind: 'direct'; readonly why: 'unset' | 'loopback' | 'no-proxy' | 'other-scheme' };

const NEEDED =
  'write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with @ / # and : of the password percent-encoded';

/**
 * How a server is reached. One on this machine is never reached through a proxy, because the proxy's loopback is another
 * machine. `https-proxy` is for https servers and `http-proxy` for http servers, as with curl. Throws CONFIG_INVALID.
 */
export function chooseRoute(server: URL, settings: ProxySettings): Route {
  const setting = server.protocol === 'https:' ? 'https-proxy' : 'http-proxy';
  const [written, other] =
    setting === 'https-proxy'
      ? [settings.httpsProxy, settings.httpProxy]
      : [settings.httpProxy, settings.httpsProxy];
  if (written === undefined) return { kind: 'direct', why: other === undefined ? 'unset' : 'other-scheme' };
  if (isLoopback(server.hostname)) return { kind: 'direct', why: 'loopback' };
  if (isExempt(server, settings.noProxy)) return { kind: 'direct', why: 'no-proxy' };
  return { kind: 'proxy', proxy: readProxy(setting, written) };
}

function readProxy(setting: Proxy['setting'], written: string): Proxy {
  const url = parseProxyUrl(written);
  const shown = withoutCredentials(written);
  if (url === null || url.hostname === '')
    throw new AgentError('CONFIG_INVALID', `${setting}: ${shown} is not the URL of a proxy`, {
      hint: NEEDED,
    });
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AgentError('CONFIG_INVALID', `${setting}: ${shown} is not an http or https proxy`, {
      hint: `only HTTP proxies are supported: ${NEEDED}`,
    });
  const hasUser = url.username !== '' || url.password !== '';
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    origin: url.origin,
    authorization: hasUser ? `Basic ${Buffer.from(credentials).toString('base64')}` : undefined,
    setting,
  };
}

/** Whether `no-proxy` lists the server: `*`, a host, a domain with its subdomains, an address, a subnet, each with a port. */
function isExempt(server: URL, noProxy: readonly string[]): boolean {
  const host = plainHost(server.hostname);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  return noProxy
    .map((entry) => /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [entry, entry, undefined])
    .some(([, name = '', ownPort]) => (ownPort === undefined || ownPort === port) && covers(name, host));
}

function covers(entry: string, host: string): boolean {
  if (entry === '*') return true;
  const name = plainHost(entry.replace(/^\*?\./, ''));
  const [, network = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(name) ?? [];
  const kind = familyOf(host);
  if (kind !== undefined && network !== '') return contains(network, Number(prefix), host, kind);
  if (kind !== undefined) return sameAddress(name, host);
  // `*.example.com` is not example.com itself.
  return (name === host && !entry.startsWith('*')) || (name !== '' && host.endsWith(`.${name}`));
}

function contains(network: string, prefix: number, host: string, kind: 'ipv4' | 'ipv6'): boolean {
  if (familyOf(network) !== kind || prefix > (kind === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, kind);
  return list.check(host, kind);
}

function sameAddress(entry: string, host: string): boolean {
  const kind = familyOf(entry);
  return kind !== undefined && contains(entry, kind === 'ipv4' ? 32 : 128, host, kind);
}

function familyOf(host: string): 'ipv4' | 'ipv6' | undefined {
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(host)];
}

function plainHost(host: string): string {
  return host
    .replace(/^\[(.*)\]/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}
