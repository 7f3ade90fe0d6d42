import type { ListenAddress } from '../config/listen.ts';
import { isLoopback } from '../lib/loopback.ts';
import { isEveryAddress } from './guard.ts';

/**
 * The page's address as a browser takes it. By one of `names`, which the owner has given to it, where others than this
 * machine reach it. Pure.
 */
export function urlOf({ host, port }: ListenAddress, names: readonly string[]): string {
  const [name] = names;
  if (isLoopback(bracketed(host))) return `http://${bracketed(host)}:${port}`;
  if (name !== undefined) return `http://${bracketed(name)}:${port}`;
  // Of all addresses the one that is always there.
  if (isEveryAddress(host)) return `http://${host.includes(':') ? '[::1]' : '127.0.0.1'}:${port}`;
  return `http://${bracketed(host)}:${port}`;
}

/**
 * The addresses of a link. A name of a page that only this machine reaches is one of the owner's proxy, which most likely
 * speaks TLS. Pure.
 */
export function linkUrls(
  address: ListenAddress,
  names: readonly string[],
  token: string,
): { readonly url: string; readonly others: readonly string[] } {
  const url = urlOf(address, names);
  const others = isLoopback(bracketed(address.host))
    ? names.map((name) => `https://${bracketed(name)}`)
    : names.map((name) => `http://${bracketed(name)}:${address.port}`);
  const withToken = (base: string): string => `${base}/#link=${token}`;
  return { url: withToken(url), others: others.filter((one) => one !== url).map(withToken) };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
