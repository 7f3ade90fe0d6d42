import { AgentError } from '../domain/errors.ts';
import { type ConnectionLimits, type ConnectionOptions, openDispatcher } from '../http-client/dispatcher.ts';
import type { Proxy } from '../http-client/proxy.ts';
import { ProxyError } from '../http-client/proxy-error.ts';
import { routed } from '../http-client/routed.ts';
import { type Dispatcher, errors } from '../http-client/undici.ts';
import { withDeadline } from '../lib/deadline.ts';
import { OneAtATime } from '../lib/one-at-a-time.ts';
import { badAnswer } from './fields.ts';
import { networkFailure } from './network-failure.ts';
import { type BodySink, readBody } from './read-body.ts';
import { type Hop, isRedirect, nextHop, redirectedAway } from './redirect.ts';
import { sanitize } from './sanitize.ts';
import { inChunks, maxUnsentBytes } from './upload.ts';

/** The source of the token; asked before every call. */
export type TokenSource = { current(): Promise<string> };

/** The limits of a call: times in milliseconds, sizes in bytes. */
export type Limits = ConnectionLimits & {
  /**
   * From the request to the answer's headers, plus the wait of a held poll and the upload time of a body. Restarts with each
   * chunk of a long body that is sent.
   */
  readonly headersMs: number;
  /** The whole call with its redirects, plus the wait of a held poll and the upload time of a body. */
  readonly callMs: number;
  /** The upload rate that a call may assume, in bytes per second. */
  readonly bytesPerS: number;
};

const CALL_LIMITS: Limits = {
  connectMs: 10_000,
  headersMs: 30_000,
  bodyIdleMs: 30_000,
  callMs: 300_000,
  // A line of 32 kB/s that four reports share.
  bytesPerS: 8_000,
};

const MAX_REDIRECTS = 5;
/** With a page of HTML, the answers of proxies that could not pass a call on; a broker answers with JSON. */
const PROXY_STATUSES: readonly number[] = [401, 403, 405, 500, 502, 503, 504];

/** One API call. `path` is relative to the base URL, or a whole URL of the same origin. */
export type Call = {
  readonly method: Hop['method'];
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the broker may hold the call, in milliseconds. */
  readonly holdMs?: number;
  /** Takes the body of a 2xx. */
  readonly into: BodySink;
  readonly signal: AbortSignal;
  /** Its answer waits for no other, however large both are. */
  readonly isUrgent?: true;
  /** It is sent without the token, which it is about to get; no message shows what the token source has. */
  readonly isAnonymous?: true;
};

/** A call that has ended by itself; one that was aborted says nothing of the broker. */
export type CallResult = {
  readonly method: Hop['method'];
  readonly path: string;
  /** Undefined: no whole answer of the broker came. */
  readonly status: number | undefined;
  readonly tookMs: number;
};

/** An answer with any status. */
export type Reply = {
  /** The call for messages: `GET /api/v1/runs`. */
  readonly call: string;
  readonly status: number;
  /** The body; of a long one the beginning. */
  readonly text: string;
  /** How long this process was busy with the body, in milliseconds. */
  readonly busyMs: number;
  readonly header: (name: string) => string | undefined;
  /** Makes the broker's text safe for a message. */
  readonly safe: (text: string) => string;
};

/** A call with its body encoded, so that a redirect can send it again. */
type EncodedCall = Omit<Call, 'body'> & {
  /** For messages. */
  readonly name: string;
  readonly body: Buffer | undefined;
};

/** HTTP to one broker: keep-alive, deadlines, redirects within the origin, the token on every request. */
export class Transport {
  readonly #base: URL;
  readonly #token: TokenSource;
  readonly #limits: Limits;
  readonly #dispatcher: Dispatcher;
  readonly #proxy: Proxy | undefined;
  readonly #onResult: (result: CallResult) => void;
  readonly #large = new OneAtATime();
  /** A proxy to which calls are sent, instead of through a tunnel that it opens. */
  readonly #forwarder: Proxy | undefined;

  /** `baseUrl` such as `https://sharedcloud.io`; a path in it comes before `/api/v1`. */
  constructor(
    baseUrl: string,
    token: TokenSource,
    limits: Partial<Limits> = {},
    connection: ConnectionOptions = {},
    onResult: (result: CallResult) => void = () => undefined,
  ) {
    this.#base = new URL(baseUrl.replace(/\/*$/, '/'));
    this.#token = token;
    this.#limits = { ...CALL_LIMITS, ...limits };
    this.#dispatcher = openDispatcher(this.#base, this.#limits, connection);
    this.#proxy = connection.proxy;
    this.#onResult = onResult;
    this.#forwarder = this.#base.protocol === 'http:' ? connection.proxy : undefined;
  }

  /** Sends a call and reads its answer. Throws BROKER_* without a status, and what the token source throws. */
  async send(call: Call): Promise<Reply> {
    const token = await this.#token.current();
    const url = this.#urlOf(call);
    const began = performance.now();
    const ended = (status?: number): void =>
      this.#onResult({ method: call.method, path: url.pathname, status, tookMs: performance.now() - began });
    // The broker names the paths of pages.
    const name = `${call.method} ${sanitize(url.pathname, token)}`;
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const callMs = this.#limits.callMs + (call.holdMs ?? 0) + this.#uploadMs(body?.length ?? 0);
    const error = (): Error => new Error(`the call took longer than ${callMs / 1000} s`);
    try {
      const reply = await withDeadline({ ms: callMs, error, signal: call.signal }, async (signal) => {
        const answer = await this.#follow(
          { method: call.method, url },
          { ...call, name, body, signal },
          token,
        );
        const { statusCode: status } = answer;
        const isSuccess = status >= 200 && status < 300;
        const { busyMs, head: text } = await readBody(
          answer.body,
          call.isUrgent ? undefined : this.#large,
          isSuccess ? call.into : undefined,
        );
        if (this.#isFromProxy(status, text)) throw new ProxyError({ status });
        const header = (name: string): string | undefined => [answer.headers[name] ?? []].flat()[0];
        return { call: name, status, text, busyMs, header, safe: (said: string) => sanitize(said, token) };
      });
      ended(reply.status);
      return reply;
    } catch (thrown) {
      if (!call.signal.aborted) ended();
      throw thrown instanceof AgentError
        ? thrown
        : networkFailure(thrown, { name, origin: url.origin, token, proxy: this.#proxy });
    }
  }

  /** Closes all connections; calls in progress fail. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  #urlOf({ path, query }: Call): URL {
    const url = new URL(path.replace(/^\/+/, ''), this.#base);
    if (url.origin !== this.#base.origin) throw redirectedAway(this.#base, url);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    return url;
  }

  /** Whether a proxy that forwards calls answered this one itself, or at least did not pass the broker's answer on. */
  #isFromProxy(status: number, text: string): boolean {
    if (this.#forwarder === undefined) return false;
    return status === 407 || (PROXY_STATUSES.includes(status) && text.trimStart().startsWith('<'));
  }

  /** How long an upload may take, in milliseconds. */
  #uploadMs(bytes: number): number {
    return (bytes / this.#limits.bytesPerS) * 1000;
  }

  async #follow(first: Hop, call: EncodedCall, token: string): Promise<Dispatcher.ResponseData> {
    let hop = first;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const answer = await this.#request(hop, call, token);
      if (!isRedirect(answer.statusCode)) return answer;
      await readBody(answer.body, this.#large);
      hop = nextHop(hop, answer.statusCode, [answer.headers['location'] ?? []].flat()[0], call.name);
    }
    throw badAnswer(`${call.name}: the broker redirected more than ${MAX_REDIRECTS} times`);
  }

  /** Settles with the answer's headers; the call's signal aborts its body too. */
  async #request(
    { method, url }: Hop,
    { body, headers, holdMs = 0, isAnonymous, signal }: EncodedCall,
    token: string,
  ): Promise<Dispatcher.ResponseData> {
    const late = new AbortController();
    const headersMs = this.#limits.headersMs + holdMs + this.#uploadMs(maxUnsentBytes(body));
    const timer = setTimeout(() => late.abort(new errors.HeadersTimeoutError()), headersMs);
    try {
      const { origin, path, headers: onTheWay } = routed(url, this.#forwarder);
      return await this.#dispatcher.request({
        origin,
        path,
        method,
        headers: {
          accept: 'application/json',
          ...(isAnonymous ? {} : { authorization: `Token ${token}` }),
          ...onTheWay,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(body.length) }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: inChunks(body, () => void timer.refresh()) }),
        // Replaced by the timer above, because undici's timer runs twice a second while a call is held.
        headersTimeout: 0,
        signal: AbortSignal.any([signal, late.signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
