import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { answerTo, failure } from '../control-api/answer.ts';
import { parseBody } from '../control-api/body.ts';
import { AgentError } from '../domain/errors.ts';
import { LIMITS } from '../limits.ts';
import { AnswerEncoder } from './answer-encoder.ts';
import { bestEncoding } from './encoding.ts';
import { hasAlready, type PageFile } from './page-file.ts';
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
    async (_request: unknown, body: string | Buffer) => parseBody(String(body)),
  );
  app.setErrorHandler((error, _request, reply) => refuse(reply, asRefusal(error), parts));
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, new AgentError('CONTROL_UNKNOWN', 'the page has nothing at this address'), parts),
  );
  for (const [path, file] of pageFiles()) app.get(path, (request, reply) => sendFile(request, reply, file));
  app.get('/healthz', async () => ({ status: 'ok' }));
  addSignIn(app, parts);
  const sending = { streams: new Streams(parts.sessions), answers: new AnswerEncoder() };
  app.all('/api/*', (request, reply) => api(request, reply, parts, sending));
  await app.ready();
  return app;
}

async function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): Promise<FastifyReply> {
  const { 'accept-encoding': accepted, 'if-none-match': known } = request.headers;
  // It is asked for each time, and sent only where it has changed: an update must not meet old files.
  reply.headers({ etag: file.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
  if (hasAlready(file.etag, known)) return reply.code(304).send();
  const encoding = bestEncoding(accepted);
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.type(file.type).send(await file.encoded(encoding));
}

async function api(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: PageParts,
  { answers, streams }: { readonly answers: AnswerEncoder; readonly streams: Streams },
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
  if (answer.kind === 'object') {
    const { content, encoding } = await answers.encode(answer.body, request.headers['accept-encoding']);
    reply.code(answer.status).type('application/json; charset=utf-8').header('vary', 'accept-encoding');
    if (encoding !== 'identity') reply.header('content-encoding', encoding);
    return reply.send(content);
  }
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

/** What fastify refuses is the caller's fault, by its status. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !('statusCode' in error) || error instanceof AgentError) return error;
  const isCallers = typeof error.statusCode === 'number' && error.statusCode < 500;
  return isCallers ? new AgentError('CONTROL_INVALID', error.message.slice(0, 200)) : error;
}
