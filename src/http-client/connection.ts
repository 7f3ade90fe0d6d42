import { type CaSettings, loadTrustedCas, type TrustedCas } from './ca-certificates.ts';
import type { ConnectionOptions } from './dispatcher.ts';
import { chooseRoute, type ProxySettings, type Route } from './proxy.ts';

/** How a server is connected to. */
export type PreparedConnection = {
  readonly route: Route;
  /** Undefined where nothing is encrypted; loading them takes time. */
  readonly cas: TrustedCas | undefined;
};

/** Chooses the proxy, and loads the certificate authorities if the server or the proxy needs them. Throws CONFIG_INVALID. */
export function prepareConnection(url: string, settings: ProxySettings & CaSettings): PreparedConnection {
  const server = new URL(url);
  const route = chooseRoute(server, settings);
  const encrypted = [server.origin, route.kind === 'proxy' ? route.proxy.origin : ''];
  const needsCas = encrypted.some((origin) => origin.startsWith('https:'));
  return { route, cas: needsCas ? loadTrustedCas(settings) : undefined };
}

/** What the transport takes of it. */
export function connectionOptions({ cas, route }: PreparedConnection): ConnectionOptions {
  return {
    proxy: route.kind === 'proxy' ? route.proxy : undefined,
    secureContext: cas?.secureContext,
  };
}
