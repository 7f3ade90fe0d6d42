import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { ServerCertificate } from '../tls-certificates.ts';
import { close, listen } from './listen.ts';

/** A request as a server got it. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** A server on a loopback port that remembers what it was asked and how many connections it had. */
export type TestServer = AsyncDisposable & {
  readonly url: string;
  /** The same address, as that of a Docker engine. */
  readonly dockerHost: string;
  readonly port: number;
  readonly seen: readonly Seen[];
  readonly connections: () => number;
  /** Resolves at the first connection. */
  readonly connected: Promise<unknown>;
};

/** Answers a request however the test likes; `count` is 1 for the first. */
export type Answer = (seen: Seen, response: ServerResponse, count: number) => void;

/** A real HTTP server that answers by a script, on a port of its own or at the path of a Unix socket. */
export async function httpServer(answer: Answer, path?: string): Promise<TestServer> {
  const seen: Seen[] = [];
  return serve(createServer(listener(answer, seen)), seen, path);
}

/** The same over TLS; its `url` begins with https. */
export async function httpsServer(answer: Answer, certificate: ServerCertificate): Promise<TestServer> {
  const seen: Seen[] = [];
  const server = await serve(createTlsServer(certificate, listener(answer, seen)), seen);
  return { ...server, url: server.url.replace('http:', 'https:') };
}

function listener(answer: Answer, seen: Seen[]): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { headers, method = '', url = '' } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(one, response, seen.length);
    });
  };
}

/** A server that is given requests before their bodies are read; one that it cannot serve is cut off. */
export async function unreadServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
): Promise<TestServer> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return serve(server, []);
}

/** A server that speaks raw bytes, or says nothing at all. */
export async function tcpServer(talk: (socket: Socket) => void): Promise<TestServer> {
  return serve(createTcpServer(talk), []);
}

async function serve(server: Server, seen: readonly Seen[], at?: string): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => sockets.delete(socket));
    socket.on('close', () => sockets.delete(socket));
  });
  const connected = once(server, 'connection');
  const port = await listen(server, at);
  return {
    url: `http://127.0.0.1:${port}`,
    dockerHost: at === undefined ? `tcp://127.0.0.1:${port}` : `unix://${at}`,
    port,
    seen,
    connections: () => connections,
    connected,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await close(server);
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
