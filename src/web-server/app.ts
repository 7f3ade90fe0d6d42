import { Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Answering, answerTo } from '../control-api/answer.ts';
import { LIMITS } from '../limits.ts';
import { pageFiles } from './page-files.ts';
import { sseFrames } from './sse.ts';

/** The page and the API over HTTP. Loaded at the first connection. */
export async function buildApp(options: Answering): Promise<FastifyInstance> {
  const app = fastify({ bodyLimit: LIMITS.host.controlRequest.max, forceCloseConnections: true });
  const files = pageFiles();
  for (const [path, { content, type }] of files)
    app.get(path, (_request, reply) => reply.type(type).header('cache-control', 'no-cache').send(content));
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.all('/api/*', (request, reply) => api(request, reply, options));
  await app.ready();
  return app;
}

async function api(request: FastifyRequest, reply: FastifyReply, options: Answering): Promise<FastifyReply> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const answer = await answerTo(
    {
      method: request.method,
      url: request.url,
      body: async () => request.body,
      caller: 'page',
      from: request.ip,
      rights: ['read', 'control'],
      denied: { why: 'this session is for looking only', hint: 'open the page with: sharedcloud-agent page' },
      signal: gone.signal,
    },
    options,
  );
  if (answer.kind === 'object') return reply.code(answer.status).send(answer.body);
  return reply.type('text/event-stream').send(Readable.from(sseFrames(answer.items)));
}
