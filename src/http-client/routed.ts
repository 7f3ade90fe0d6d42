import type { Proxy } from './proxy.ts';

/** What a request needs of the way that it takes. */
export type Routed = {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** A proxy forwards http, to which the URL is sent whole, and opens a tunnel for https. Pure. */
export function routed(url: URL, proxy: Proxy | undefined): Routed {
  const path = `${url.pathname}${url.search}`;
  if (proxy === undefined || url.protocol !== 'http:') return { origin: url.origin, path, headers: {} };
  const { authorization, origin } = proxy;
  return {
    origin,
    path: `${url.origin}${path}`,
    headers: {
      host: url.host,
      ...(authorization !== undefined && { 'proxy-authorization': authorization }),
    },
  };
}
