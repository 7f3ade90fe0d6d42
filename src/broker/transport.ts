import { Agent, type Dispatcher, errors } from 'undici';
import { AgentError } from '../domain/errors.ts';
import { withDeadline } from './deadline.ts';
import { badAnswer } from './fields.ts';
import { networkFailure } from './network-failure.ts';
import { type Hop, isRedirect, nextHop, redirectedAway } from './redirect.ts';
import { shown } from './shown.ts';
import { inPieces, unseen } from './upload.ts';

/** Where the token comes from; asked before every call. */
export type TokenSource = { current(): Promise<string> };

/** How long a call may take, in milliseconds, and how much it may answer, in bytes. */
export type Limits = {
  readonly connectMs: number;
  /**
   * From the request to the answer's headers; a held poll has its wait on top, a request with a body what the line may
   * need for it. It begins anew with each piece of a long body that is on its way.
   */
  readonly headersMs: number;
  /** Between two pieces of the answer's body. */
  readonly bodyIdleMs: number;
  /** The whole call with its redirects; a held poll has its wait on top, a body what the line may need for it. */
  readonly callMs: number;
  /** What a call may count on of the line to the broker, in bytes per second. */
  readonly bytesPerS: number;
  readonly bodyBytes: number;
};

export const LIMITS: Limits = {
  connectMs: 10_000,
  headersMs: 30_000,
  bodyIdleMs: 30_000,
  callMs: 300_000,
  // A line of 32 kB/s, with four reports on their way at once.
  bytesPerS: 8_000,
  bodyBytes: 256 * 1024 * 1024,
};

const MOST_HOPS = 5;
/** Longer than the usual poll interval, so that polls share a connection. */
const KEEP_ALIVE_MS = 20_000;
/** Claims and reports of a busy host wait for each other rather than flood the broker. */
const CONNECTIONS = 32;

/** One call of the API. `path` stands under the base URL, or is a whole URL of the same origin. */
export type Call = {
  readonly method: Hop['method'];
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the broker may hold the call, in milliseconds. */
  readonly holdMs?: number;
  readonly signal: AbortSignal;
};

/** A whole answer, whatever its status. */
export type Reply = {
  /** The call in words, for messages: `GET /api/v1/runs`. */
  readonly call: string;
  readonly status: number;
  readonly text: string;
  readonly header: (name: string) => string | undefined;
  /** Text as it may be shown: without the token, escaped, shortened. */
  readonly safe: (text: string) => string;
};

/** A call that may be sent more than once: its body is in bytes already. */
type Ready = Omit<Call, 'body'> & { readonly body: Buffer | undefined };

/** HTTP to one broker: connections kept alive, deadlines, redirects within the origin, the token on every request. */
export class Transport {
  readonly #base: URL;
  readonly #token: TokenSource;
  readonly #limits: Limits;
  readonly #agent: Agent;

  /** `baseUrl` as `https://sharedcloud.io`; a path in it stands before `/api/v1`. */
  constructor(baseUrl: string, token: TokenSource, limits: Partial<Limits> = {}) {
    this.#base = new URL(baseUrl.replace(/\/*$/, '/'));
    this.#token = token;
    this.#limits = { ...LIMITS, ...limits };
    this.#agent = new Agent({
      connect: { timeout: this.#limits.connectMs },
      bodyTimeout: this.#limits.bodyIdleMs,
      maxResponseSize: this.#limits.bodyBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connections: CONNECTIONS,
      allowH2: false,
    });
  }

  /**
   * Sends a call and reads its whole answer. Throws BROKER_UNREACHABLE, BROKER_REDIRECTED_AWAY, BROKER_BAD_ANSWER,
   * and what the token source throws.
   */
  async send(call: Call): Promise<Reply> {
    const token = await this.#token.current();
    const url = this.#urlOf(call);
    const words = `${call.method} ${url.pathname}`;
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const callMs = this.#limits.callMs + (call.holdMs ?? 0) + this.#lineMs(body?.length ?? 0);
    const tooLong = new Error(`not over after ${callMs / 1000} s`);
    try {
      return await withDeadline(call.signal, callMs, tooLong, async (signal) => {
        const answer = await this.#follow({ method: call.method, url }, { ...call, body, signal }, token);
        const text = await answer.body.text();
        const header = (name: string): string | undefined => [answer.headers[name] ?? []].flat()[0];
        return { call: words, status: answer.statusCode, text, header, safe: (said) => shown(said, token) };
      });
    } catch (thrown) {
      throw thrown instanceof AgentError ? thrown : networkFailure(thrown, words, token);
    }
  }

  /** Ends all connections, also those with a call under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #urlOf({ path, query }: Call): URL {
    const url = new URL(path.replace(/^\/+/, ''), this.#base);
    if (url.origin !== this.#base.origin) throw redirectedAway(this.#base, url);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    return url;
  }

  /** How long the line may need for so many bytes, in milliseconds. */
  #lineMs(bytes: number): number {
    return (bytes / this.#limits.bytesPerS) * 1000;
  }

  async #follow(first: Hop, call: Ready, token: string): Promise<Dispatcher.ResponseData> {
    let hop = first;
    for (let hops = 0; hops <= MOST_HOPS; hops += 1) {
      const answer = await this.#request(hop, call, token);
      if (!isRedirect(answer.statusCode)) return answer;
      await answer.body.dump();
      hop = nextHop(hop, answer.statusCode, [answer.headers['location'] ?? []].flat()[0]);
    }
    throw badAnswer(
      `${first.method} ${first.url.pathname}: the broker redirected more than ${MOST_HOPS} times`,
    );
  }

  /** Answers when the answer begins; the call's signal ends its body too. */
  async #request(
    { method, url }: Hop,
    { body, headers, holdMs = 0, signal }: Ready,
    token: string,
  ): Promise<Dispatcher.ResponseData> {
    const late = new AbortController();
    const inTime = this.#limits.headersMs + holdMs + this.#lineMs(unseen(body));
    const timer = setTimeout(() => late.abort(new errors.HeadersTimeoutError()), inTime);
    try {
      return await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: {
          accept: 'application/json',
          authorization: `Token ${token}`,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(body.length) }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: inPieces(body, () => void timer.refresh()) }),
        // Its own clock ticks twice a second for as long as a call is held.
        headersTimeout: 0,
        signal: AbortSignal.any([signal, late.signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
