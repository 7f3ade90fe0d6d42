import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../config/listen.ts';
import { failure } from '../control-api/answer.ts';
import { http } from '../lib/http.ts';
import { listen } from '../lib/listen.ts';
import { LIMITS } from '../limits.ts';
import { refusalOf } from './guard.ts';
import { KEY_HEADER, SECURITY_HEADERS } from './headers.ts';
import { answerScrape } from './metrics.ts';
import type { PageParts } from './page-parts.ts';

/** A page that is served until it is disposed of. */
export type ServedPage = AsyncDisposable & {
  readonly port: number;
  /** Loads what the first request needs, because one is about to come. */
  load(): void;
};

/** A connection on which nothing comes is of no use for longer. */
const IDLE_MS = 30_000;

/**
 * Serves page and API. What they need is loaded at the first request, since most owners look seldom. Throws the system's
 * error where the address cannot be listened on.
 */
export async function servePage(address: ListenAddress, parts: PageParts): Promise<ServedPage> {
  let app: Promise<FastifyInstance> | undefined;
  const waiting: Waiting = new WeakMap();
  const loaded = async (): Promise<FastifyInstance> => {
    app ??= import('./app.ts').then(({ buildApp }) => buildApp(parts));
    try {
      return await app;
    } catch (thrown) {
      // Files may be away while they are replaced; the next request tries again.
      app = undefined;
      throw thrown;
    }
  };
  const server = http.createServer(
    {
      maxHeaderSize: LIMITS.page.header.max,
      requestTimeout: LIMITS.page.requestTime.max,
      headersTimeout: LIMITS.page.requestTime.max,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: 1_000,
      // A request without a host is refused like one with a foreign host.
      requireHostHeader: false,
    },
    (request, response) => {
      setHeaders(response);
      if (!countOne(request, response, waiting) || !isAdmitted(request, response, parts)) return;
      if (answerScrape(request, response, parts.metrics)) return;
      loaded().then(
        (found) => found.routing(request, response),
        (thrown: unknown) => answer(response, thrown, parts),
      );
    },
  );
  server.maxConnections = LIMITS.page.connections.max;
  server.on('clientError', refuseUnreadable);
  // No page asks for another protocol, and a socket that was handed over would have no bounds.
  server.on('upgrade', (_request, socket) => void socket.destroy());
  await listen(server, { host: address.host, port: address.port });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    // A failure is answered to the request that comes.
    load: () => void loaded().catch(() => undefined),
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
      await (await app?.catch(() => undefined))?.close();
    },
  };
}

function setHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  // Also without a listener an error would end the process.
  response.on('error', () => response.destroy());
}

/** Answers what must not come further, before anything is loaded for it. */
function isAdmitted(request: IncomingMessage, response: ServerResponse, parts: PageParts): boolean {
  const { headers, headersDistinct, method = '', url = '' } = request;
  const site = headers['sec-fetch-site'];
  const refusal = refusalOf(
    {
      method,
      url,
      hosts: headersDistinct['host'] ?? [],
      origin: headers.origin,
      site: typeof site === 'string' ? site : undefined,
      hasKey: headers[KEY_HEADER] !== undefined,
    },
    parts.hosts(),
  );
  if (refusal === undefined) return true;
  answer(response, refusal, parts);
  return false;
}

/** Requests that were sent behind each other without waiting, as no browser does, are answered one by one and wait in memory. */
function countOne({ socket }: IncomingMessage, response: ServerResponse, waiting: Waiting): boolean {
  const count = (waiting.get(socket) ?? 0) + 1;
  if (count > LIMITS.page.pipelined.max) {
    socket.destroy();
    return false;
  }
  waiting.set(socket, count);
  response.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
  return true;
}

/** How many requests of a connection have no whole answer yet. */
type Waiting = WeakMap<Duplex, number>;

function answer(response: ServerResponse, thrown: unknown, { version }: Pick<PageParts, 'version'>): void {
  const { body, status } = failure(thrown, version);
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** A request that is none, or too long, or too slow. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS[error.code ?? ''] ?? '400 Bad Request';
  const headers = Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join('')}content-length: 0\r\nconnection: close\r\n\r\n`, () =>
    socket.destroy(),
  );
}

const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
