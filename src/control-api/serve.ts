import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import { asStorageError } from '../domain/storage-error.ts';
import { http } from '../lib/http.ts';
import { listen } from '../lib/listen.ts';
import { LIMITS } from '../limits.ts';
import { type Answering, answerTo, failure } from './answer.ts';
import { parseBody } from './body.ts';
import { jsonOf } from './encoded-item.ts';
import { CALLER_HEADER } from './protocol.ts';
import { sendItems } from './send-items.ts';
import { shortPath } from './short-path.ts';
import { type ControlSocket, pathOf } from './sockets.ts';

/**
 * Answers on sockets until it is disposed of. A process that hangs does not answer, because the event loop does. Throws
 * STATE_DIR_UNUSABLE where a socket cannot be made; none is left then.
 */
export async function serveControl(
  sockets: readonly ControlSocket[],
  options: Answering,
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  for (const socket of sockets) opened.use(await serveOn(socket, options));
  return opened.move();
}

/** Callers are on this host; those that send slowly must not keep the others out for long. */
const REQUEST_MS = 3_000;

async function serveOn(socket: ControlSocket, options: Answering): Promise<AsyncDisposable> {
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
    await listen(server, { path: join(directory.path, socket.name) });
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

/** Never throws: the caller may go at any moment. */
async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  socket: ControlSocket,
  options: Answering,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.on('error', () => gone.abort());
  const asked = {
    method: request.method ?? '',
    url: request.url ?? '/',
    body: () => bodyOf(request),
    caller: callerOf(request),
    from: pathOf(socket),
    rights: socket.rights,
    denied: {
      why: `${pathOf(socket)} is for looking only`,
      hint: 'use the socket control.sock, as the agent’s user, root or a member of its group',
    },
    signal: gone.signal,
  };
  const answer = await answerTo(asked, options);
  if (gone.signal.aborted) return;
  if (answer.kind === 'object') return write(response, answer.status, answer.body);
  try {
    await stream(response, answer.items, answer.first);
  } catch (thrown) {
    if (gone.signal.aborted) return;
    const failed = failure(thrown, options.version);
    if (response.headersSent) response.destroy();
    else write(response, failed.status, failed.body);
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
  return parseBody(Buffer.concat(chunks).toString('utf8'));
}

function callerOf(request: IncomingMessage): string {
  const header = request.headers[CALLER_HEADER];
  const name = (Array.isArray(header) ? header[0] : header) ?? '';
  return /^[\w.@:+ -]{1,100}$/.test(name) ? name : 'somebody';
}

function write(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** One object a line. */
async function stream(
  response: ServerResponse,
  answer: AsyncIterable<object>,
  envelope: object,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
  response.write(`${JSON.stringify(envelope)}\n`);
  await sendItems(response, answer, (item) => `${jsonOf(item)}\n`);
  response.end();
}
