import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { failure } from '../control-api/answer.ts';
import { SCHEMA } from '../control-api/protocol.ts';
import { AgentError } from '../domain/errors.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import { cookieHeader, cookiesNamed, KEY_HEADER } from './headers.ts';
import type { PageParts } from './page-parts.ts';
import { SESSION_MS, type Session } from './sessions.ts';

/** A sign-in as the page sends it. */
const SIGN_IN = z.union([
  z.strictObject({ link: z.string().max(200) }),
  z.strictObject({ password: z.string().max(4096) }),
]);

/** Refused sign-ins that get a line of the log at once, and then one in a minute. */
const REFUSALS = 10;
const REFUSALS_PER_SECOND = 1 / 60;

/** Answers `/session`: opens sessions, shows whose a request is, and ends them. */
export function addSignIn(app: FastifyInstance, parts: PageParts): void {
  const { clock, observe, sessions, version } = parts;
  const refusals = new TokenBucket(REFUSALS, () => clock.monotonic());
  const envelope = { schema: SCHEMA, version };
  app.post('/session', (request, reply) => {
    try {
      const parsed = SIGN_IN.safeParse(request.body);
      if (!parsed.success)
        throw new AgentError('CONTROL_INVALID', '/session takes either a link or a password');
      const { data } = parsed;
      const opened = 'link' in data ? sessions.byLink(data.link) : sessions.byPassword(data.password);
      const { by, cookie, expiresAt, key, rights } = opened;
      observe({ kind: 'page-signed-in', by, from: fromOf(request, opened), rights });
      reply.header('set-cookie', cookieHeader(sessions.cookieName, cookie, SESSION_MS, isSecure(request)));
      return reply.send({ ...envelope, key, rights, expiresAt: new Date(expiresAt).toISOString() });
    } catch (thrown) {
      if (isRefusal(thrown) && refusals.takeOne(REFUSALS_PER_SECOND))
        observe({ kind: 'page-sign-in-refused', from: addressOf(request), why: thrown.message });
      return refuse(reply, thrown, parts);
    }
  });
  app.get('/session', (request, reply) => {
    const session = sessionOf(request, reply, parts);
    if (session === undefined) return refuse(reply, sessionRequired(), parts);
    const { by, expiresAt, rights } = session;
    return reply.send({ ...envelope, rights, by, expiresAt: new Date(expiresAt).toISOString() });
  });
  app.delete('/session', (request, reply) => {
    const session = sessionOf(request, reply, parts);
    if (session === undefined) return refuse(reply, sessionRequired(), parts);
    try {
      sessions.signOut(session);
    } catch (thrown) {
      return refuse(reply, thrown, parts);
    }
    observe({ kind: 'page-signed-out', by: session.by, from: fromOf(request, session), all: false });
    reply.raw.setHeader('set-cookie', cookieHeader(sessions.cookieName, '', 0, isSecure(request)));
    return reply.send(envelope);
  });
}

/** The session that a request belongs to; an old cookie is renewed by the answer. */
export function sessionOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { sessions }: Pick<PageParts, 'sessions'>,
): Session | undefined {
  const header = request.headers[KEY_HEADER];
  // An EventSource can send no header.
  const query = new URLSearchParams(request.url.split('?', 2)[1]).get('key') ?? undefined;
  const key = typeof header === 'string' ? header : request.method === 'GET' ? query : undefined;
  if (key === undefined) return undefined;
  const found = sessions.find(cookiesNamed(sessions.cookieName, request.headers.cookie), key);
  if (found?.renewed !== undefined)
    reply.raw.setHeader(
      'set-cookie',
      cookieHeader(sessions.cookieName, found.renewed, SESSION_MS, isSecure(request)),
    );
  return found;
}

/** The error for a request without a session. */
export function sessionRequired(): AgentError {
  return new AgentError('SESSION_REQUIRED', 'the page is for those who have signed in');
}

/** Answers an error, with whether a password would help. */
export function refuse(
  reply: FastifyReply,
  thrown: unknown,
  { sessions, version }: Pick<PageParts, 'sessions' | 'version'>,
): FastifyReply {
  const { body, status } = failure(thrown, version);
  return reply.code(status).send({ ...body, password: sessions.takesPassword });
}

/** By which session and from where a request comes, for the record of changes. */
export function fromOf(request: FastifyRequest, { id }: Pick<Session, 'id'>): string {
  return `session ${id} at ${addressOf(request)}`;
}

/** What a proxy on this host says about the client is not verified. */
function addressOf(request: FastifyRequest): string {
  const address = (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
  const forwarded = request.headers['x-forwarded-for'];
  const client = typeof forwarded === 'string' ? (forwarded.split(',').at(-1)?.trim() ?? '') : '';
  return /^[\da-f.:]{2,45}$/i.test(client) ? `${address} for ${client}` : address;
}

function isRefusal(thrown: unknown): thrown is AgentError {
  return thrown instanceof AgentError && ['SIGN_IN_REFUSED', 'SIGN_IN_LIMITED'].includes(thrown.code);
}

/** Whether the browser has come by TLS, as through a proxy. */
function isSecure({ headers }: FastifyRequest): boolean {
  return headers.origin?.startsWith('https:') === true;
}
