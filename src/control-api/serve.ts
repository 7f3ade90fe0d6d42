import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, asAgentError, type ErrorCode } from '../domain/errors.ts';
import { asStorageError } from '../domain/storage-error.ts';
import { http } from '../lib/http.ts';
import { LIMITS } from '../limits.ts';
import type { Endpoint } from './endpoints.ts';
import { CALLER_HEADER, SCHEMA } from './protocol.ts';
import { shortPath } from './short-path.ts';
import { type ControlSocket, pathOf } from './sockets.ts';

/** A request that was understood. */
export type Call<Body> = {
  readonly body: Body;
  readonly query: URLSearchParams;
  /** What stood in the path behind the route's own, decoded; empty: nothing. */
  readonly rest: string;
  /** Who calls, as they name themselves; not verified. */
  readonly caller: string;
  /** The path of the socket. */
  readonly from: string;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
};

/** An endpoint with what answers it: with an object, or a stream of objects, one a line. */
export type Route = Pick<Endpoint, 'method' | 'path' | 'right'> & {
  answer(request: RawCall): Promise<object> | AsyncIterable<object>;
};

type RawCall = Call<unknown>;

/** Answers an endpoint. What its request's schema does not know is refused. */
export function route<Request extends z.ZodType, Answer extends z.ZodType>(
  endpoint: Endpoint<Request, Answer>,
  answer: (
    call: Call<z.infer<Request>>,
  ) => Promise<z.infer<Answer> & object> | AsyncIterable<z.infer<Answer> & object>,
): Route {
  const { method, path, request, right } = endpoint;
  return {
    method,
    path,
    right,
    answer: (call) => {
      const parsed = request.safeParse(method === 'POST' ? (call.body ?? {}) : undefined);
      if (parsed.success) return encoded(endpoint.answer, answer({ ...call, body: parsed.data }));
      const what = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
      throw new AgentError('CONTROL_INVALID', `${path} does not take this: ${what.join('; ')}`);
    },
  };
}

/** As it is between processes. */
function encoded(
  schema: z.ZodType,
  answer: Promise<object> | AsyncIterable<object>,
): Promise<object> | AsyncIterable<object> {
  const one = (value: object): object => z.looseObject({}).parse(z.encode(schema, value));
  return isStream(answer) ? eachOf(answer, one) : answer.then(one);
}

async function* eachOf(
  items: AsyncIterable<object>,
  change: (item: object) => object,
): AsyncGenerator<object, void> {
  for await (const item of items) yield change(item);
}

export type ServeOptions = {
  readonly routes: readonly Route[];
  readonly version: string;
};

/**
 * Answers on sockets until it is disposed of. A process that hangs does not answer, because the event loop does. Throws
 * STATE_DIR_UNUSABLE where a socket cannot be made; none is left then.
 */
export async function serveControl(
  sockets: readonly ControlSocket[],
  options: ServeOptions,
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  for (const socket of sockets) opened.use(await serveOn(socket, options));
  return opened.move();
}

/** Callers are on this host; those that send slowly must not keep the others out for long. */
const REQUEST_MS = 3_000;

async function serveOn(socket: ControlSocket, options: ServeOptions): Promise<AsyncDisposable> {
  const path = pathOf(socket);
  const server = http.createServer(
    {
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 1,
    },
    (request, response) => void handle(request, response, socket, options),
  );
  // A connection is closed after its answer, and what came behind the request must not be carried out unanswered.
  server.maxRequestsPerSocket = 1;
  server.maxConnections = LIMITS.host.controlConnections.max;
  const directory = shortPath(socket.directory);
  try {
    removeOld(path);
    await listen(server, join(directory.path, socket.name));
    // Whatever the umask of this process is.
    chmodSync(path, socket.mode);
  } catch (cause) {
    server.close();
    directory.close();
    throw asStorageError(cause, path);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
      directory.close();
    },
  };
}

/** A crash may have left one; anything but a socket is not ours to remove. */
function removeOld(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new AgentError('STATE_DIR_UNUSABLE', `${path} is not a socket`, { hint: `remove it: rm ${path}` });
  rmSync(path, { force: true });
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
}

/** Never throws: the caller may go at any moment. */
async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  socket: ControlSocket,
  { routes, version }: ServeOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.on('error', () => gone.abort());
  const envelope = { schema: SCHEMA, version };
  try {
    const url = URL.parse(request.url ?? '/', 'http://agent');
    if (url === null) throw new AgentError('CONTROL_INVALID', 'the path of the request is none');
    const found = find(routes, request.method ?? '', url.pathname);
    if (!socket.rights.includes(found.right))
      throw new AgentError('CONTROL_DENIED', `${pathOf(socket)} is for looking only`, {
        hint: 'use the socket control.sock, as the agent’s user, root or a member of its group',
      });
    const answer = found.answer({
      body: request.method === 'POST' ? await bodyOf(request) : undefined,
      query: url.searchParams,
      rest: decoded(url.pathname.slice(found.path.length)),
      caller: callerOf(request),
      from: pathOf(socket),
      signal: gone.signal,
    });
    if (isStream(answer)) return await stream(response, answer, envelope);
    write(response, 200, { ...envelope, ...(await answer) });
  } catch (thrown) {
    if (gone.signal.aborted) return;
    const { code, hint = null, message } = asAgentError(thrown);
    if (response.headersSent) response.destroy();
    else write(response, STATUS[code] ?? 500, { ...envelope, error: { code, message, hint } });
  }
}

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  CONTROL_INVALID: 400,
  TARGET_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  TIME_INVALID: 400,
  CONTROL_DENIED: 403,
  CONTROL_UNKNOWN: 404,
  NOT_CONFIRMED: 409,
  STATE_DIR_UNUSABLE: 507,
};

function find(routes: readonly Route[], method: string, path: string): Route {
  const at = routes.filter((one) => (one.path.endsWith('/') ? path.startsWith(one.path) : one.path === path));
  const found = at.find((one) => one.method === method);
  if (found !== undefined) return found;
  const what = at.length === 0 ? `does not know ${path.slice(0, 100)}` : `does not take ${method} at ${path}`;
  throw new AgentError('CONTROL_UNKNOWN', `this agent ${what}`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AgentError('CONTROL_INVALID', 'a part of the path is no UTF-8 in percent encoding');
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) break;
    bytes += chunk.length;
    if (bytes > LIMITS.host.controlRequest.max)
      throw new AgentError(
        'CONTROL_INVALID',
        `the request has more than ${LIMITS.host.controlRequest.max} bytes`,
      );
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new AgentError('CONTROL_INVALID', 'the request is not JSON');
  }
}

function callerOf(request: IncomingMessage): string {
  const header = request.headers[CALLER_HEADER];
  const name = (Array.isArray(header) ? header[0] : header) ?? '';
  return /^[\w.@:+ -]{1,100}$/.test(name) ? name : 'somebody';
}

function isStream(answer: Promise<object> | AsyncIterable<object>): answer is AsyncIterable<object> {
  return Symbol.asyncIterator in answer;
}

function write(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** One object a line. A caller that does not read is waited for, and the stream with it. */
async function stream(
  response: ServerResponse,
  answer: AsyncIterable<object>,
  envelope: object,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
  response.write(`${JSON.stringify(envelope)}\n`);
  for await (const item of answer) {
    if (response.destroyed) break;
    if (response.write(`${JSON.stringify(item)}\n`)) continue;
    await drained(response);
  }
  response.end();
}

/** A reader that reads nothing for a minute is dropped: there are only so many connections. */
async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stalled = setTimeout(() => response.destroy(), STALLED_MS);
  response.once('drain', resolve);
  response.once('close', resolve);
  await promise;
  clearTimeout(stalled);
}

const STALLED_MS = 60_000;
