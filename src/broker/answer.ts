import { AgentError } from '../domain/errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Reply } from './transport.ts';

const GONE: readonly number[] = [404, 410];

const FINAL: readonly number[] = [403, 409, ...GONE];

function isSuccess(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300;
}

/** Throws BROKER_* for any status but 2xx. */
export function expectOk(reply: Reply): void {
  if (!isSuccess(reply)) throw refusalOf(reply);
}

const NO_CONTENT: readonly number[] = [204, 205];

/** Whether the answer is a 204 or 205 without a body, which is a success by itself. */
export function isNoContent(reply: Reply): boolean {
  return NO_CONTENT.includes(reply.status) && isEmpty(reply);
}

/**
 * Whether the answer is an empty 2xx that should have a body. A proxy may have sent it without the broker, so the caller
 * must verify the change.
 */
export function isUnconfirmed(reply: Reply): boolean {
  return isSuccess(reply) && isEmpty(reply) && !isNoContent(reply);
}

/** Whether the answer has no body. */
export function isEmpty({ text }: Reply): boolean {
  return text.trim() === '';
}

/** The wait before the next call that the broker asks for, in milliseconds; undefined: none. */
export function requestedWaitMs({ header }: Reply): number | undefined {
  return retryAfterMs(header('retry-after'), header('date'), Date.now());
}

/** The error for an answer that is not a 2xx. */
function refusalOf(reply: Reply): AgentError {
  const { call, status } = reply;
  const details = detailsOf(reply);
  if (status === 401) {
    return new AgentError('BROKER_UNAUTHORIZED', `${call}: the broker does not accept the token${details}`, {
      hint: 'replace the token with one that is valid at this broker',
    });
  }
  if (status >= 500 || status === 408 || status === 429) {
    const waitMs = requestedWaitMs(reply);
    return new AgentError('BROKER_UNAVAILABLE', `${call}: the broker is unavailable (${status})${details}`, {
      hint: 'contact the broker’s operator if it lasts',
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    });
  }
  if (GONE.includes(status)) {
    return new AgentError(
      'BROKER_NOT_FOUND',
      `${call}: the broker does not know this address (${status})${details}`,
      {
        hint: 'check the broker’s URL; it is written without /api/v1',
      },
    );
  }
  if (status >= 400) {
    // A page is from a proxy, which refuses anything but the size for reasons of its own.
    const isTheirs = !isPage(reply.text) || status === 413;
    const extras = isTheirs ? { status } : {};
    return new AgentError('BROKER_REFUSED', `${call}: the broker refused (${status})${details}`, extras);
  }
  return new AgentError(
    'BROKER_BAD_ANSWER',
    `${call}: the broker answered with the unexpected status ${status}`,
  );
}

/**
 * Whether a 403, 404, 409 or 410 is from the broker itself and so final. The broker answers with a JSON object; a page or
 * plain text is from a proxy. Only a broker answers 409, with any text, and its 404 or 410 may be empty.
 */
export function isFinal({ status, text }: Reply): boolean {
  if (status === 409) return !isPage(text);
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

/** Whether the broker itself, not a proxy, answered 404 or 410. */
export function isGone(reply: Reply): boolean {
  return GONE.includes(reply.status) && isFinal(reply);
}

/** Throws BROKER_NOT_JSON for a final status from a proxy, so that the call is retried. */
export function expectBroker(reply: Reply): void {
  if (FINAL.includes(reply.status)) throw notJson(reply);
}

/** The error for an answer that is not from a broker; the call is retried. */
export function notJson(reply: Reply): AgentError {
  const { call, safe, status, text } = reply;
  const what = text.trim() === '' ? 'empty' : `not JSON: “${safe(text).slice(0, 200)}”`;
  return new AgentError('BROKER_NOT_JSON', `${call}: the answer (${status}) is ${what}`, {
    hint: 'check the broker’s URL, and look for a proxy or a login page in between',
  });
}

/** Whether the text is a web page, which is from a proxy or another server than the broker. */
export function isPage(text: string): boolean {
  return text.trimStart().startsWith('<');
}

/** The broker's explanation of a refusal as the end of a message; empty if there is none. */
export function detailsOf({ safe, text }: Reply): string {
  if (isPage(text)) return '';
  const details = safe(messagesOf(text));
  return details === '' ? '' : `: ${details}`;
}

/** Django REST Framework answers `{"detail": text}` or lists of messages per field; other text stays as it is. */
function messagesOf(text: string): string {
  try {
    return flatten(JSON.parse(text), 0);
  } catch {
    return text;
  }
}

function flatten(json: unknown, depth: number): string {
  if (typeof json !== 'object' || json === null || depth > 3) return String(json);
  if (Array.isArray(json))
    return json
      .slice(0, 10)
      .map((item) => flatten(item, depth + 1))
      .join(' ');
  return Object.entries(json)
    .slice(0, 10)
    .map(([name, value]) => {
      const message = flatten(value, depth + 1);
      return name === 'detail' || name === 'non_field_errors' ? message : `${name}: ${message}`;
    })
    .join('; ');
}
