import { AgentError, asAgentError, type ErrorCode } from '../domain/errors.ts';
import { SCHEMA } from './protocol.ts';
import { isStream, type Route } from './route.ts';
import type { Right } from './sockets.ts';

/** What is answered, and by which version. */
export type Answering = { readonly routes: readonly Route[]; readonly version: string };

/** A request as it came, by a socket or the page. */
export type Asked = {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** Reads the body of a POST. */
  readonly body: () => Promise<unknown>;
  /** Who calls, as they name themselves; not verified. */
  readonly caller: string;
  readonly from: string;
  readonly rights: readonly Right[];
  /** Why what needs another right is refused. */
  readonly denied: { readonly why: string; readonly hint: string };
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
};

/** The answer: one object, or a stream of them after a first one. */
export type Answered =
  | { readonly kind: 'object'; readonly status: number; readonly body: object }
  | { readonly kind: 'stream'; readonly first: object; readonly items: AsyncIterable<object> };

/** Answers a request; a failure is an answer, too. */
export async function answerTo(asked: Asked, { routes, version }: Answering): Promise<Answered> {
  const envelope = { schema: SCHEMA, version };
  try {
    const url = URL.parse(asked.url, 'http://agent');
    if (url === null) throw new AgentError('CONTROL_INVALID', 'the path of the request is none');
    const found = find(routes, asked.method, url.pathname);
    if (!asked.rights.includes(found.right)) {
      const { hint, why } = asked.denied;
      throw new AgentError('CONTROL_DENIED', why, { hint });
    }
    const answer = found.answer({
      body: asked.method === 'POST' ? await asked.body() : undefined,
      query: url.searchParams,
      rest: decoded(url.pathname.slice(found.path.length)),
      caller: asked.caller,
      from: asked.from,
      rights: asked.rights,
      signal: asked.signal,
    });
    if (isStream(answer)) return { kind: 'stream', first: envelope, items: answer };
    return { kind: 'object', status: 200, body: { ...envelope, ...(await answer) } };
  } catch (thrown) {
    return failure(thrown, version);
  }
}

/** The answer to what cannot be done. */
export function failure(thrown: unknown, version: string): Answered & { readonly kind: 'object' } {
  const { code, hint = null, message } = asAgentError(thrown);
  const body = { schema: SCHEMA, version, error: { code, message, hint } };
  return { kind: 'object', status: STATUS[code] ?? 500, body };
}

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  CONTROL_INVALID: 400,
  TARGET_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  TIME_INVALID: 400,
  CONTROL_DENIED: 403,
  CONTROL_UNKNOWN: 404,
  SESSION_REQUIRED: 401,
  SIGN_IN_REFUSED: 401,
  SIGN_IN_LIMITED: 429,
  HOST_REFUSED: 421,
  ORIGIN_REFUSED: 403,
  PAGE_BUSY: 503,
  PAGE_NOT_SERVED: 409,
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
