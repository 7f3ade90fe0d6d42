import { type CaSettings, loadTrustedCas, type TrustedCas } from './ca-certificates.ts';
import type { ConnectionOptions } from './dispatcher.ts';
import { chooseRoute, type ProxySettings, type Route } from './proxy.ts';

/** How a broker is connected to. */
export type BrokerConnection = {
  readonly route: Route;
  /** Undefined where nothing is encrypted; loading them takes time. */
  readonly cas: TrustedCas | undefined;
};

/** Chooses the proxy, and loads the certificate authorities if the broker or the proxy needs them. Throws CONFIG_INVALID. */
export function prepareConnection(brokerUrl: string, settings: ProxySettings & CaSettings): BrokerConnection {
  const broker = new URL(brokerUrl);
  const route = chooseRoute(broker, settings);
  const encrypted = [broker.origin, route.kind === 'proxy' ? route.proxy.origin : ''];
  const needsCas = encrypted.some((origin) => origin.startsWith('https:'));
  return { route, cas: needsCas ? loadTrustedCas(settings) : undefined };
}

/** What the transport takes of it. */
export function connectionOptions({ cas, route }: BrokerConnection): ConnectionOptions {
  return {
    proxy: route.kind === 'proxy' ? route.proxy : undefined,
    secureContext: cas?.secureContext,
  };
}
