import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { HttpBroker } from '../../../src/broker/client.ts';
import { type Limits, Transport } from '../../../src/broker/transport.ts';
import { AgentError } from '../../../src/domain/errors.ts';

/** The token that tests use; it must never show up in an error. */
export const TOKEN = 'tok-5ecret-0123456789abcdef';

/** A request as a server got it. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** A server on a loopback port that remembers what it was asked and how many connections it had. */
export type HostileServer = AsyncDisposable & {
  readonly url: string;
  readonly seen: readonly Seen[];
  readonly connections: () => number;
  /** Resolves at the first connection. */
  readonly connected: Promise<unknown>;
};

/** Answers a request however the test likes; `count` is 1 for the first. */
export type Answer = (seen: Seen, response: ServerResponse, count: number) => void;

/** A real HTTP server that answers as told. */
export async function httpServer(answer: Answer): Promise<HostileServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { headers, method = '', url = '' } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(one, response, seen.length);
    });
  });
  return serve(server, seen);
}

/** A server that is given requests before their bodies are read; one that it cannot serve is cut off. */
export async function unreadServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
): Promise<HostileServer> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return serve(server, []);
}

/** A server that speaks raw bytes, or says nothing at all. */
export async function tcpServer(talk: (socket: Socket) => void): Promise<HostileServer> {
  return serve(createTcpServer(talk), []);
}

async function serve(server: Server, seen: readonly Seen[]): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => sockets.delete(socket));
    socket.on('close', () => sockets.delete(socket));
  });
  const connected = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    connections: () => connections,
    connected,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** A client of ours, with what it may take for each step cut to what a test can wait for. */
export type TestClient = AsyncDisposable & { readonly broker: HttpBroker; readonly transport: Transport };

/** The real client, talking to `url`. */
export function clientOf(url: string, limits: Partial<Limits> = {}): TestClient {
  const transport = new Transport(url, { current: async () => TOKEN }, limits);
  return {
    transport,
    broker: new HttpBroker(transport),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/** The error that a call fails with; that it does not is a failure of the test. */
export async function failure(call: Promise<unknown>): Promise<AgentError> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown;
    throw thrown;
  }
  throw new Error('the call did not fail');
}

/** A signal that never aborts. */
export const never = new AbortController().signal;
