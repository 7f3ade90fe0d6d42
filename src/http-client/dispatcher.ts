import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { buildConnector as Connectors, Dispatcher } from 'undici';
import type { Proxy } from './proxy.ts';
import { ProxyError } from './proxy-error.ts';
import { Agent, buildConnector, Pool, ProxyAgent } from './undici.ts';

/** Longer than the default poll interval, so that polls share a connection. */
const KEEP_ALIVE_MS = 20_000;
/** Limits the load that a busy host puts on a server. */
const CONNECTIONS = 32;

/** The limits of a connection: in milliseconds. */
export type ConnectionLimits = {
  readonly connectMs: number;
  /** Between two chunks of the answer's body. */
  readonly bodyIdleMs: number;
};

/** How connections are made. */
export type ConnectionOptions = {
  /** Undefined: directly. */
  readonly proxy?: Proxy | undefined;
  /** With the trusted certificate authorities; undefined: those of Node.js. */
  readonly secureContext?: SecureContext | undefined;
};

/** Opens what sends requests to a server: directly, to a proxy that forwards them (http), or through its tunnels (https). */
export function openDispatcher(
  server: URL,
  limits: ConnectionLimits,
  { proxy, secureContext }: ConnectionOptions,
): Dispatcher {
  const tls = {
    timeout: limits.connectMs,
    allowH2: false,
    ...(secureContext === undefined ? {} : { secureContext }),
  };
  const options = {
    bodyTimeout: limits.bodyIdleMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connections: CONNECTIONS,
    allowH2: false,
  };
  if (proxy === undefined) return new Agent({ ...options, connect: tls });
  if (server.protocol === 'http:') return new Agent({ ...options, connect: proxyConnector(tls) });
  return new ProxyAgent({
    ...options,
    uri: proxy.origin,
    ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
    requestTls: tls,
    proxyTls: tls,
    clientFactory: (origin) =>
      new TunnelPool(origin, {
        connect: proxyConnector(tls),
        headersTimeout: limits.connectMs,
        allowH2: false,
      }),
  });
}

/** Connects to a proxy. Its failures are ProxyErrors, so that they are not taken for the server's. */
function proxyConnector(options: Connectors.BuildOptions): Connectors.connector {
  const connect = buildConnector(options);
  return (target, done) => {
    // The proxy agent takes an address for a server name, which Node.js warns of.
    const servername = isIP(target.servername ?? '') > 0 ? '' : (target.servername ?? '');
    connect({ ...target, servername }, (error, socket) => {
      if (error === null) done(null, socket);
      else done(new ProxyError({ cause: error }), null);
    });
  };
}

/** The connections to a proxy on which tunnels are opened. */
class TunnelPool extends Pool {
  override connect(options: Parameters<Pool['connect']>[0]): Promise<Dispatcher.ConnectData>;
  override connect(...call: Parameters<Pool['connect']>): void;
  override connect(options: Parameters<Pool['connect']>[0]): Promise<Dispatcher.ConnectData> {
    return this.#tunnel(options);
  }

  async #tunnel(options: Parameters<Pool['connect']>[0]): Promise<Dispatcher.ConnectData> {
    const answer = await super.connect(options).catch((cause: unknown) => {
      throw cause instanceof ProxyError ? cause : new ProxyError({ cause });
    });
    if (answer.statusCode === 200) return answer;
    answer.socket.on('error', () => undefined).destroy();
    throw new ProxyError({ status: answer.statusCode });
  }
}
