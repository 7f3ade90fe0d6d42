import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** A call as the front saw it. `count` is 1 for the first call of this method and path (without its query). */
export type SeenCall = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly count: number;
  /** 1 for the first call of all. */
  readonly total: number;
};

/** What the front does with a call, instead of simply passing it on. */
export type Misdeed =
  /** Answers by itself; the broker never hears of the call. */
  | {
      readonly do: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Passes the call on, and then says this although the broker has done its part. */
  | { readonly do: 'answer-after'; readonly status: number; readonly body?: string }
  /** Passes the call on and sends only the first half of the answer's body, as if that were all. */
  | { readonly do: 'truncate' }
  /** Passes the call on and cuts the connection in the middle of the answer's body. */
  | { readonly do: 'cut-midway' }
  /** Cuts the connection; the broker never hears of the call. */
  | { readonly do: 'cut-before' }
  /** Passes the call on and cuts the connection when the broker has answered. */
  | { readonly do: 'cut-after' }
  /** Passes the call on that much later. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Never answers. */
  | { readonly do: 'hang' };

/** Undefined: pass it on as it is. */
export type Plan = (call: SeenCall) => Misdeed | undefined;

/** Ready-made misdeeds of brokers and of what stands before them. */
export const misdeeds = {
  serverError: { do: 'answer', status: 500, body: '{"detail": "Something broke."}' },
  html: {
    do: 'answer',
    status: 200,
    body: '<!doctype html><title>Maintenance</title>',
    headers: { 'content-type': 'text/html' },
  },
  unauthorized: { do: 'answer', status: 401, body: '{"detail": "Invalid token."}' },
  tooMany: (seconds: number): Misdeed => ({
    do: 'answer',
    status: 429,
    body: '{"detail": "Request was throttled."}',
    headers: { 'retry-after': String(seconds) },
  }),
  redirect: (location: string, status = 302): Misdeed => ({
    do: 'answer',
    status,
    headers: { location },
  }),
} as const satisfies Record<string, Misdeed | ((...args: never[]) => Misdeed)>;

type Passed = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

/** A front before a broker that passes calls on, and misbehaves by plan. */
export class HostileFront {
  readonly calls: SeenCall[] = [];
  plan: Plan;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #counts = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #server: Server;

  constructor(brokerUrl: string, plan: Plan = () => undefined) {
    this.#target = new URL(brokerUrl);
    this.plan = plan;
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  /** Answers the base URL to use instead of the broker's. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The front has no port.');
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = this.#note(incoming);
    const misdeed = this.plan(call);
    const sent = await buffer(incoming);
    switch (misdeed?.do) {
      case 'hang':
        return;
      case 'cut-before':
        outgoing.destroy();
        return;
      case 'answer':
        outgoing.writeHead(misdeed.status, { 'content-type': 'application/json', ...misdeed.headers });
        outgoing.end(misdeed.body);
        return;
      case 'delay':
        await delay(misdeed.ms, undefined, { signal: this.#closing.signal });
        break;
      default:
    }
    const passed = await this.#pass(incoming, sent, outgoing);
    reply(outgoing, passed, misdeed);
  }

  #note(incoming: IncomingMessage): SeenCall {
    const method = incoming.method ?? 'GET';
    const [path = '', query = ''] = (incoming.url ?? '').split('?');
    const key = `${method} ${path}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const call = { method, path, query, count, total: this.calls.length + 1 };
    this.calls.push(call);
    return call;
  }

  async #pass(incoming: IncomingMessage, sent: Buffer, outgoing: ServerResponse): Promise<Passed> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, url, headers } = incoming;
      const { hostname, port } = this.#target;
      const onward = request(
        {
          hostname,
          port,
          method,
          path: url,
          headers: { ...headers, host: this.#target.host },
          agent: this.#agent,
        },
        resolve,
      );
      onward.once('error', reject);
      outgoing.once('close', () => onward.destroy());
      onward.end(sent);
    });
    return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
  }
}

function reply(outgoing: ServerResponse, passed: Passed, misdeed: Misdeed | undefined): void {
  const { 'transfer-encoding': _chunked, connection: _connection, ...headers } = passed.headers;
  const half = passed.body.subarray(0, Math.floor(passed.body.length / 2));
  switch (misdeed?.do) {
    case 'cut-after':
      outgoing.destroy();
      return;
    case 'answer-after':
      outgoing.writeHead(misdeed.status, { 'content-type': 'application/json' });
      outgoing.end(misdeed.body);
      return;
    case 'truncate':
      outgoing.writeHead(passed.status, { ...headers, 'content-length': half.length });
      outgoing.end(half);
      return;
    case 'cut-midway':
      outgoing.writeHead(passed.status, { ...headers, 'content-length': passed.body.length });
      outgoing.write(half, () => outgoing.destroy());
      return;
    default:
      outgoing.writeHead(passed.status, headers);
      outgoing.end(passed.body);
  }
}
