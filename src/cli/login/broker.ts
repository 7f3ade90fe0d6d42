import { type Account, type Credentials, readAccount, signIn } from '../../broker/sign-in.ts';
import { Transport } from '../../broker/transport.ts';
import type { Config } from '../../config/config.ts';
import { AgentError } from '../../domain/errors.ts';
import { connectionOptions, prepareConnection } from '../../http-client/connection.ts';
import { isLoopback } from '../../lib/loopback.ts';

const LIMITS = { connectMs: 8_000, headersMs: 15_000, bodyIdleMs: 8_000, callMs: 20_000 };

/** Signs in at the configured broker. Throws as `signIn` does, and CONFIG_INVALID for a proxy that cannot be used. */
export function tokenOf(config: Config, credentials: Credentials): Promise<string> {
  // In place of a token, so that no message shows it.
  return withTransport(config, credentials.password, (transport) =>
    signIn(transport, credentials, new AbortController().signal),
  );
}

/** The account of a token; throws as `readAccount` does, and CONFIG_INVALID for a proxy that cannot be used. */
export function accountOf(config: Config, token: string): Promise<Account> {
  return withTransport(config, token, (transport) => readAccount(transport, new AbortController().signal));
}

/** Throws CONFIG_INVALID where the password or token would travel readable over a network, unless the owner allows it. */
export function requireEncryption({ brokerUrl }: Config, allowed: boolean): void {
  const url = new URL(brokerUrl);
  if (allowed || url.protocol === 'https:' || isLoopback(url.hostname)) return;
  throw new AgentError(
    'CONFIG_INVALID',
    `${url.origin} is plain http: others on the network could read the password and the token`,
    { hint: 'set broker-url to an https URL, or add --insecure-http on a network of your own' },
  );
}

/** Calls the configured broker with this token. Throws what `work` throws, and CONFIG_INVALID for a proxy that cannot be used. */
export async function withTransport<T>(
  config: Config,
  secret: string,
  work: (transport: Transport) => Promise<T>,
): Promise<T> {
  const connection = connectionOptions(prepareConnection(config.brokerUrl, config));
  const transport = new Transport(
    config.brokerUrl,
    { current: () => Promise.resolve(secret) },
    LIMITS,
    connection,
  );
  try {
    return await work(transport);
  } finally {
    await transport.close();
  }
}
