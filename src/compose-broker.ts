import { BrokerBooks } from './broker/books.ts';
import { HttpBroker } from './broker/client.ts';
import { type CallResult, Transport } from './broker/transport.ts';
import type { Loaded } from './config/config.ts';
import { TokenSource, tokenOrigin } from './config/token.ts';
import type { Broker } from './domain/ports/broker.ts';
import { connectionOptions, prepareConnection } from './http-client/connection.ts';
import type { Log } from './lib/log.ts';
import type { Redactor } from './lib/redactor.ts';

/* The part of the composition root for the broker. */

type BrokerParts = {
  readonly loaded: Loaded;
  readonly log?: Log;
  readonly redactor: Redactor;
  /** The user of this process. */
  readonly uid: number;
};

/** A connection to the broker, and the token that it sends. */
export type OpenBroker = {
  readonly broker: Broker;
  readonly books: BrokerBooks;
  readonly tokens: TokenSource;
  close(): Promise<void>;
};

/**
 * Connects to the configured broker; sends nothing yet. `onResult` is called with each call that has ended. Throws
 * TOKEN_MISSING, CONFIG_INVALID.
 */
export function openBroker(
  { loaded, log, redactor, uid }: BrokerParts,
  onResult?: (result: CallResult) => void,
): OpenBroker {
  const { config } = loaded;
  const tokens = new TokenSource(tokenOrigin(loaded), uid, (token) => redactor.add(token));
  const connection = prepareConnection(config.brokerUrl, config);
  const { cas, route } = connection;
  if (route.kind === 'proxy')
    log?.info(
      { event: 'broker-proxy-used', proxy: route.proxy.origin },
      'the broker is reached through a proxy',
    );
  for (const { hint, what } of cas?.problems ?? [])
    log?.warn({ event: 'ca-certificates-unusable', hint }, `certificate authorities not loaded: ${what}`);
  const transport = new Transport(config.brokerUrl, tokens, {}, connectionOptions(connection), onResult);
  return {
    broker: new HttpBroker(transport),
    books: new BrokerBooks(transport),
    tokens,
    close: () => transport.close(),
  };
}
