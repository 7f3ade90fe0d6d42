import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { answerTo, failure } from '../control-api/answer.ts';
import { AgentError } from '../domain/errors.ts';
import { LIMITS } from '../limits.ts';
import { bestEncoding, hasAlready, type PageFile } from './page-file.ts';
import { pageFiles } from './page-files.ts';
import type { PageParts } from './page-parts.ts';
import { addSignIn, fromOf, refuse, sessionOf, sessionRequired } from './sign-in.ts';
import { sendEvents } from './sse.ts';
import { Streams } from './streams.ts';

/** The page and the API over HTTP. Loaded at the first connection. */
export async function buildApp(parts: PageParts): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: LIMITS.host.controlRequest.max,
    forceCloseConnections: true,
    // A path that cannot be decoded is refused before any handler is asked.
    frameworkErrors: (error, _request, reply) => void refuse(reply, asRefusal(error), parts),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string | Buffer) => parseJson(String(body)),
  );
  app.setErrorHandler((error, _request, reply) => refuse(reply, asRefusal(error), parts));
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, new AgentError('CONTROL_UNKNOWN', 'the page has nothing at this address'), parts),
  );
  for (const [path, file] of pageFiles()) app.get(path, (request, reply) => sendFile(request, reply, file));
  app.get('/healthz', async () => ({ status: 'ok' }));
  addSignIn(app, parts);
  const streams = new Streams(parts.sessions);
  app.all('/api/*', (request, reply) => api(request, reply, parts, streams));
  await app.ready();
  return app;
}

async function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): Promise<FastifyReply> {
  const { 'accept-encoding': accepted, 'if-none-match': known } = request.headers;
  // It is asked for each time, and sent only where it has changed: an update must not meet old files.
  reply.headers({ etag: file.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
  if (hasAlready(file.etag, known)) return reply.code(304).send();
  const encoding = bestEncoding(Array.isArray(accepted) ? accepted.join() : accepted);
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.type(file.type).send(await file.encoded(encoding));
}

async function api(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: PageParts,
  streams: Streams,
): Promise<FastifyReply> {
  const session = sessionOf(request, reply, parts);
  if (session === undefined) return refuse(reply, sessionRequired(), parts);
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const answer = await answerTo(
    {
      method: request.method,
      url: urlOf(request),
      body: async () => request.body,
      caller: session.by,
      from: fromOf(request, session),
      rights: session.rights,
      denied: {
        why: 'this session is for looking only',
        hint: 'open another one with: sharedcloud-agent page',
      },
      signal: gone.signal,
    },
    parts,
  );
  if (answer.kind === 'object') return reply.code(answer.status).send(answer.body);
  using stream = streams.open(session, () => gone.abort());
  if (stream === undefined)
    return refuse(reply, new AgentError('PAGE_BUSY', 'too many pages are open at once'), parts);
  reply.hijack();
  await sendEvents(reply.raw, answer.items, gone.signal, (thrown) => failure(thrown, parts.version).body);
  return reply;
}

/** Without the key, and going on behind the last event that an EventSource got before it was cut off. */
function urlOf({ headers, url }: FastifyRequest): string {
  const [path = '', query] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.delete('key');
  const last = headers['last-event-id'];
  if (typeof last === 'string' && /^\d{1,16}$/.test(last)) parameters.set('since', last);
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}

/** A POST without a body is one with an empty one. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new AgentError('CONTROL_INVALID', 'the request is not JSON');
  }
}

/** What fastify refuses is the caller's fault, by its status. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !('statusCode' in error) || error instanceof AgentError) return error;
  const isCallers = typeof error.statusCode === 'number' && error.statusCode < 500;
  return isCallers ? new AgentError('CONTROL_INVALID', error.message.slice(0, 200)) : error;
}
