import { AgentError } from '../domain/errors.ts';
import { exchange, type HttpSettings, type Send } from '../http-client/exchange.ts';
import type { Failure } from '../http-client/failure.ts';
import type { Dispatcher } from '../http-client/undici.ts';
import { LIMITS } from '../limits.ts';

/** For the whole try, with its redirects. */
const TRY_MS = 30_000;
const MAX_REDIRECTS = 3;
/** A server that asks for more is asked again after this. */
const MAX_RETRY_AFTER_S = 3_600;

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
export async function post(settings: HttpSettings, { signal, url, ...content }: Post): Promise<void> {
  const server = { url, name: url.origin, deadlineMs: TRY_MS, signal, failed: unreachable };
  await exchange(settings, server, (send) => follow(send, { url, ...content }));
}

async function follow(send: Send, { body, headers, url: first }: Omit<Post, 'signal'>): Promise<void> {
  let url = first;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await send({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
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

function unreachable({ proxySetting, what }: Failure): AgentError {
  return new AgentError('NOTIFICATION_FAILED', what, {
    hint:
      proxySetting === undefined
        ? 'check the URL of this target, and that its server runs'
        : `check ${proxySetting}`,
  });
}
