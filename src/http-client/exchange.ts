import { AgentError } from '../domain/errors.ts';
import { withDeadline } from '../lib/deadline.ts';
import type { CaSettings } from './ca-certificates.ts';
import { connectionOptions, prepareConnection } from './connection.ts';
import { openDispatcher } from './dispatcher.ts';
import { type Failure, failureOf } from './failure.ts';
import type { ProxySettings } from './proxy.ts';
import { routed } from './routed.ts';
import type { Dispatcher } from './undici.ts';

const IDLE_MS = 10_000;

/** How a server is reached: the same proxies and certificate authorities as for the broker. */
export type HttpSettings = ProxySettings & CaSettings;

export type Exchange = {
  readonly url: URL;
  /** The server’s, for messages. */
  readonly name: string;
  /** For all requests together, in milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly failed: (failure: Failure) => AgentError;
};

export type Request = {
  /** Of the same origin as the exchange. */
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** Sends a request; settles with the answer’s status and headers. */
export type Send = (request: Request) => Promise<Dispatcher.ResponseData>;

/**
 * Has a few requests answered by a server that is asked rarely: nothing is kept between exchanges, and what is left unread ends
 * with this one. Redirects are not followed. Throws `failed(...)`, the AgentErrors of `work`, or CONFIG_INVALID for a proxy
 * that cannot be used.
 */
export async function exchange<T>(
  settings: HttpSettings,
  { deadlineMs, failed, name, signal, url }: Exchange,
  work: (send: Send) => Promise<T>,
): Promise<T> {
  const connection = prepareConnection(url.href, settings);
  const proxy = connection.route.kind === 'proxy' ? connection.route.proxy : undefined;
  const limits = { connectMs: IDLE_MS, bodyIdleMs: IDLE_MS };
  const dispatcher = openDispatcher(url, limits, connectionOptions(connection));
  const error = (): Error => new Error(`no answer in ${deadlineMs / 1000} s`);
  try {
    return await withDeadline({ ms: deadlineMs, error, signal }, (inTime) =>
      work(({ headers, url: target, ...request }) => {
        const way = routed(target, proxy);
        return dispatcher.request({
          ...way,
          ...request,
          headers: { 'user-agent': 'sharedcloud-agent', ...way.headers, ...headers },
          headersTimeout: 0,
          signal: inTime,
        });
      }),
    );
  } catch (thrown) {
    throw thrown instanceof AgentError ? thrown : failed(failureOf(name, thrown, proxy));
  } finally {
    await dispatcher.destroy();
  }
}
