import { AgentError } from '../domain/errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Reply } from './transport.ts';

/** Refusals longer than this, in characters, are not taken apart. */
const MOST_READ = 65_536;

/** Both say that there is no such thing (any more). */
const GONE: readonly number[] = [404, 410];

const FINAL: readonly number[] = [403, 409, ...GONE];

/** Whether the broker did what it was asked for. */
function isSuccess(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300;
}

/** The answer's JSON, whatever its content type says. Throws the error of an answer that is no success. */
export function jsonOf(reply: Reply): unknown {
  if (!isSuccess(reply)) throw refusalOf(reply);
  try {
    return JSON.parse(reply.text);
  } catch {
    throw notJson(reply);
  }
}

/** These say of themselves that the broker has done what it was asked for and has nothing to add. */
const SILENT: readonly number[] = [204, 205];

/** Whether the broker has done what it was asked for and says nothing about it. */
export function isSilentSuccess(reply: Reply): boolean {
  return SILENT.includes(reply.status) && isNothing(reply);
}

/**
 * Whether the answer is a success with nothing in it where something belongs. Brokers may be like that, and so may
 * something in front of a broker that never heard of the call: only a look at what was to change tells.
 */
export function isDubiousSuccess(reply: Reply): boolean {
  return isSuccess(reply) && isNothing(reply) && !isSilentSuccess(reply);
}

function isNothing({ text }: Reply): boolean {
  return text.trim() === '';
}

/** Takes a success with an empty body or any JSON; throws as `jsonOf` does. For what no job hangs on. */
export function acknowledged(reply: Reply): void {
  if (!isSuccess(reply) || !isNothing(reply)) jsonOf(reply);
}

/** How long the broker asks us to wait before the next call, in milliseconds; undefined: it does not. */
export function askedWaitMs({ header }: Reply): number | undefined {
  return retryAfterMs(header('retry-after'), header('date'), Date.now());
}

/** The error for an answer that is no success. */
function refusalOf(reply: Reply): AgentError {
  const { call, status } = reply;
  const said = saying(reply);
  if (status === 401) {
    return new AgentError('BROKER_UNAUTHORIZED', `${call}: the broker does not accept the token${said}`, {
      hint: 'replace the token by one that is valid at this broker',
    });
  }
  if (status >= 500 || status === 408 || status === 429) {
    const waitMs = askedWaitMs(reply);
    const message = `${call}: the broker cannot serve now (${status})${said}`;
    const wait = waitMs === undefined ? {} : { retryAfterMs: waitMs };
    return new AgentError('BROKER_UNAVAILABLE', message, {
      hint: 'if it stays so, ask who runs the broker',
      ...wait,
    });
  }
  if (GONE.includes(status)) {
    return new AgentError(
      'BROKER_NOT_FOUND',
      `${call}: the broker does not know this address (${status})${said}`,
      {
        hint: 'is the broker’s URL right? It is given without /api/v1',
      },
    );
  }
  if (status >= 400) {
    return new AgentError('BROKER_REFUSED', `${call}: the broker refused (${status})${said}`, { status });
  }
  return new AgentError(
    'BROKER_BAD_ANSWER',
    `${call}: the broker answered ${status}, which makes no sense here`,
  );
}

/**
 * Whether a 403, 404, 409 or 410 is the broker's own: then it is final. A broker says why, in a JSON object. A web page or
 * plain words such as `404 page not found` are of something in front of the broker, while that is being replaced say,
 * and nothing is given up because of them. Only a broker speaks of a conflict, in whatever words; and a simple one
 * may say nothing at all with its 404 or 410.
 */
export function isFinal({ status, text }: Reply): boolean {
  if (status === 409) return !looksLikePage(text);
  if (GONE.includes(status) && text.trim() === '') return true;
  return FINAL.includes(status) && isJsonObject(text);
}

function isJsonObject(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json);
  } catch {
    return false;
  }
}

/** Whether the broker knows no such thing: its own 404, not that of something in front of it. 410 is as good. */
export function isGone(reply: Reply): boolean {
  return GONE.includes(reply.status) && isFinal(reply);
}

/**
 * The JSON of an answer after which a job would be given up, were it a final no. Throws as `jsonOf` does; for what has
 * the status of a final no and is none BROKER_NOT_JSON, after which the same call is tried again.
 */
export function finalJsonOf(reply: Reply): unknown {
  if (FINAL.includes(reply.status)) throw notJson(reply);
  return jsonOf(reply);
}

/** The error for an answer of something that is no broker: the same call is tried again. */
export function notJson(reply: Reply): AgentError {
  const { call, safe, status, text } = reply;
  const what = text.trim() === '' ? 'nothing at all' : `no JSON but «${safe(text).slice(0, 200)}»`;
  return new AgentError('BROKER_NOT_JSON', `${call}: the answer (${status}) is ${what}`, {
    hint: 'is the broker’s URL right, and is nothing in between (a proxy, a login page of the network)?',
  });
}

function looksLikePage(text: string): boolean {
  return text.trimStart().startsWith('<');
}

/** What the broker says about a refusal, to be put at the end of a message; empty where it says nothing. */
function saying({ safe, text }: Reply): string {
  if (looksLikePage(text)) return '';
  const said = safe(messagesOf(text));
  return said === '' ? '' : `: ${said}`;
}

/** Django REST Framework answers `{"detail": text}`, or lists of messages per field; other text is taken as it is. */
function messagesOf(text: string): string {
  if (text.length > MOST_READ) return text;
  try {
    return flat(JSON.parse(text), 0);
  } catch {
    return text;
  }
}

function flat(json: unknown, depth: number): string {
  if (typeof json !== 'object' || json === null || depth > 3) return String(json);
  if (Array.isArray(json))
    return json
      .slice(0, 10)
      .map((item) => flat(item, depth + 1))
      .join(' ');
  return Object.entries(json)
    .slice(0, 10)
    .map(([name, value]) => {
      const message = flat(value, depth + 1);
      return name === 'detail' || name === 'non_field_errors' ? message : `${name}: ${message}`;
    })
    .join('; ');
}
