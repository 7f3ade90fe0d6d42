import { AgentError } from '../domain/errors.ts';
import type { CaSettings } from '../http-client/ca-certificates.ts';
import { connectionOptions, prepareConnection } from '../http-client/connection.ts';
import { openDispatcher } from '../http-client/dispatcher.ts';
import type { Proxy, ProxySettings } from '../http-client/proxy.ts';
import { ProxyError } from '../http-client/proxy-error.ts';
import type { Dispatcher } from '../http-client/undici.ts';
import { withDeadline } from '../lib/deadline.ts';
import { LIMITS } from '../limits.ts';

const CONNECT_MS = 10_000;
/** For the whole try, with its redirects. */
const TRY_MS = 30_000;
const MAX_REDIRECTS = 3;
/** A server that asks for more is asked again after this. */
const MAX_RETRY_AFTER_S = 3_600;

/** How a target is reached: the same proxies and certificate authorities as for the broker. */
export type HttpSettings = ProxySettings & CaSettings;

export type Post = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
};

/**
 * Posts JSON. Follows redirects that keep the method within the origin only. Settles with a 2xx. Throws NOTIFICATION_FAILED,
 * without what the server wrote and without the URL’s path; CONFIG_INVALID for a proxy that cannot be used.
 */
export async function post(settings: HttpSettings, request: Post): Promise<void> {
  const { signal, url } = request;
  // Notifications are rare: nothing of this is kept between them.
  const connection = prepareConnection(url.href, settings);
  const proxy = connection.route.kind === 'proxy' ? connection.route.proxy : undefined;
  const dispatcher = openDispatcher(
    url,
    { connectMs: CONNECT_MS, bodyIdleMs: CONNECT_MS },
    connectionOptions(connection),
  );
  const error = (): Error => new Error(`no answer in ${TRY_MS / 1000} s`);
  try {
    await withDeadline({ ms: TRY_MS, error, signal }, (inTime) =>
      follow(dispatcher, proxy, { ...request, signal: inTime }),
    );
  } catch (thrown) {
    throw thrown instanceof AgentError ? thrown : unreachable(url, thrown, proxy);
  } finally {
    await dispatcher.destroy();
  }
}

async function follow(dispatcher: Dispatcher, proxy: Proxy | undefined, request: Post): Promise<void> {
  let { url } = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await send(dispatcher, proxy, { ...request, url });
    const { statusCode: status } = answer;
    // What is left unread ends with the dispatcher.
    answer.body.on('error', () => undefined);
    // The status is the answer: one whose body is slow, or breaks off, was taken nevertheless, and must not be sent again.
    if (status >= 200 && status < 300) return;
    const next = status === 307 || status === 308 ? locationOf(answer, url) : undefined;
    if (next === undefined) throw refused(url, status, headerOf(answer, 'retry-after'));
    await drain(answer.body);
    if (next.origin !== url.origin || next.protocol !== url.protocol) {
      const place = next.origin === 'null' ? next.protocol : next.origin;
      throw new AgentError('NOTIFICATION_FAILED', `${url.origin} redirects to ${place}`, {
        hint: 'configure the URL of the place that it redirects to, if that is yours',
      });
    }
    url = next;
  }
  throw new AgentError('NOTIFICATION_FAILED', `${url.origin} redirects more than ${MAX_REDIRECTS} times`);
}

function send(
  dispatcher: Dispatcher,
  proxy: Proxy | undefined,
  { body, headers, signal, url }: Post,
): Promise<Dispatcher.ResponseData> {
  const path = `${url.pathname}${url.search}`;
  // A proxy forwards http, and opens a tunnel for https.
  const forwarder = url.protocol === 'http:' ? proxy : undefined;
  return dispatcher.request({
    ...(forwarder === undefined
      ? { origin: url.origin, path }
      : { origin: forwarder.origin, path: `${url.origin}${path}` }),
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'sharedcloud-agent',
      ...(forwarder === undefined ? {} : { host: url.host }),
      ...(forwarder?.authorization === undefined ? {} : { 'proxy-authorization': forwarder.authorization }),
      ...headers,
    },
    body,
    signal,
    headersTimeout: 0,
  });
}

/** Reads no more than a little, and keeps nothing. */
async function drain(body: Dispatcher.ResponseData['body']): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += Buffer.isBuffer(chunk) ? chunk.length : 0;
    if (bytes > LIMITS.notify.answer.max) break;
  }
}

/** Undefined also for an empty one, which would lead back to where it is from. */
function locationOf(answer: Dispatcher.ResponseData, from: URL): URL | undefined {
  const location = headerOf(answer, 'location') ?? '';
  return location === '' ? undefined : (URL.parse(location, from.href) ?? undefined);
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  return [headers[name] ?? []].flat()[0];
}

function refused({ origin }: URL, status: number, retryAfter: string | undefined): AgentError {
  const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Math.min(Number(retryAfter), MAX_RETRY_AFTER_S) : 0;
  return new AgentError('NOTIFICATION_FAILED', `${origin} answered with ${status}`, {
    hint: hintFor(status),
    ...(seconds === 0 ? {} : { retryAfterMs: seconds * 1000 }),
  });
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return 'check the secret or token of this target';
  if (status === 404 || status === 405 || status === 410) return 'check the URL of this target';
  if (status === 429) return 'wait: this target limits how often it takes a message';
  return status >= 500 ? 'wait, or see the log of the server' : 'see the log of the server';
}

function unreachable(url: URL, thrown: unknown, proxy: Proxy | undefined): AgentError {
  const isProxy = proxy !== undefined && thrown instanceof ProxyError;
  const at = isProxy ? `the proxy ${proxy.origin}` : url.origin;
  const through = proxy === undefined || isProxy ? '' : ` through the proxy ${proxy.origin}`;
  return new AgentError('NOTIFICATION_FAILED', `${at}${through}: ${reasonOf(thrown)}`, {
    hint: isProxy ? `check ${proxy.setting}` : 'check the URL of this target, and that its server runs',
  });
}

/** The code tells most, and never contains a URL. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'failed';
  if (thrown instanceof ProxyError && thrown.status !== undefined) return `answered with ${thrown.status}`;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  return thrown.cause === undefined ? thrown.message : reasonOf(thrown.cause);
}
