import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { close, listen } from './listen.ts';

/** A call that came to the proxy. */
export type Call = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  /** 1 for the first call of this method and path (without its query). */
  readonly count: number;
  /** 1 for the first call of all. */
  readonly total: number;
};

export type Reply = {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What goes wrong with a call, stage by stage. Faults of different stages are combined by spreading them together. */
export type Fault = {
  /** The call waits first. */
  readonly delayMs?: number;
  /** The target never hears of the call: it gets no answer, a cut connection, or this reply. */
  readonly before?: 'hang' | 'cut' | Reply;
  /** The target has answered: that is lost, comes by half with or without a cut connection, or is replaced. */
  readonly after?: 'cut' | 'cut-midway' | 'truncate' | Reply;
};

/** Decides for each call; undefined passes it on as it is. */
export type FaultPlan = (call: Call) => Fault | undefined;

const reply = (status: number, body?: string, headers?: Reply['headers']): Reply => ({
  status,
  ...(body !== undefined && { body }),
  ...(headers !== undefined && { headers }),
});

/** The faults of brokers and of the proxies and networks before them. */
export const faults = {
  answer: (...args: Parameters<typeof reply>): Fault => ({ before: reply(...args) }),
  answerAfter: (...args: Parameters<typeof reply>): Fault => ({ after: reply(...args) }),
  serverError: { before: reply(500, '{"detail": "Something broke."}') },
  html: {
    before: reply(200, '<!doctype html><title>Maintenance</title>', { 'content-type': 'text/html' }),
  },
  unauthorized: { before: reply(401, '{"detail": "Invalid token."}') },
  tooMany: (seconds: number): Fault => ({
    before: reply(429, '{"detail": "Request was throttled."}', { 'retry-after': String(seconds) }),
  }),
  redirect: (location: string): Fault => ({ before: reply(302, undefined, { location }) }),
  hang: { before: 'hang' },
  cutBefore: { before: 'cut' },
  cutAfter: { after: 'cut' },
  cutMidway: { after: 'cut-midway' },
  truncate: { after: 'truncate' },
  delay: (delayMs: number): Fault => ({ delayMs }),
} as const satisfies Record<string, Fault | ((...args: never[]) => Fault)>;

const CHANGE = z.object({ status: z.number() });

/** Whether the call changes a job: claims it, reports it or releases it. */
export const isJobChange = ({ method, path }: Call): boolean =>
  method === 'PATCH' && path.startsWith('/api/v1/jobs/');

export const isClaim = (call: Call): boolean =>
  isJobChange(call) &&
  call.body.startsWith('{') &&
  CHANGE.parse(JSON.parse(call.body)).status === JOB_STATUS.IN_PROGRESS;

/** Whether the call asks which runs there are. */
export const isRunsPoll = ({ path }: Call): boolean => path.endsWith('/runs');

/** An HTTP proxy that does to each call what its plan says. */
export class HttpProxy implements AsyncDisposable {
  readonly calls: Call[] = [];
  /** May be changed at any time; counts for calls that come from then on. */
  plan: FaultPlan;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #counts = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #server = createServer((incoming, outgoing) => {
    this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  #port = 0;

  private constructor(target: string, plan: FaultPlan) {
    this.#target = new URL(target);
    this.plan = plan;
  }

  static async open(target: string, plan: FaultPlan = () => undefined): Promise<HttpProxy> {
    const proxy = new HttpProxy(target, plan);
    proxy.#port = await listen(proxy.#server);
    return proxy;
  }

  /** The base URL to use instead of the target's. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await close(this.#server);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const fault = this.plan(this.#record(incoming, body.toString()));
    if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: this.#closing.signal });
    const { before, after } = fault ?? {};
    if (before === 'hang') return;
    if (before === 'cut') return void outgoing.destroy();
    if (before !== undefined) return send(outgoing, before);
    const answer = await this.#pass(incoming, body, outgoing);
    const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
    if (after === undefined) outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    else if (after === 'cut') outgoing.destroy();
    else if (after === 'truncate')
      outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': half.length }).end(half);
    else if (after === 'cut-midway')
      outgoing
        .writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length })
        .write(half, () => outgoing.destroy());
    else send(outgoing, after);
  }

  #record(incoming: IncomingMessage, body: string): Call {
    const method = incoming.method ?? 'GET';
    const [path = '', query = ''] = (incoming.url ?? '').split('?');
    const key = `${method} ${path}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const call = { method, path, query, body, count, total: this.calls.length + 1 };
    this.calls.push(call);
    return call;
  }

  async #pass(incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse) {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, headers, url = '/' } = incoming;
      const onward = request(
        new URL(url, this.#target),
        { method, headers: { ...headers, host: this.#target.host }, agent: this.#agent },
        resolve,
      );
      onward.once('error', reject);
      // A call that the target holds ends with its caller.
      outgoing.once('close', () => onward.destroy());
      onward.end(body);
    });
    return {
      status: answer.statusCode ?? 502,
      headers: endToEnd(answer.headers),
      body: await buffer(answer),
    };
  }
}

function send(outgoing: ServerResponse, { status, body, headers }: Reply): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

/** Without the headers that concern one connection only. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'transfer-encoding': _chunked, connection: _connection, ...rest } = headers;
  return rest;
}
