import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../store/refusal.ts';

/** Reports carry some MiB of output, functions some MiB of code; as a form that may be three times as much. */
export const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

/** Lets the server read JSON and forms. No body at all is an empty one, whatever its type claims. */
export function acceptBodies(app: FastifyInstance): void {
  const asText = { parseAs: 'string' } as const;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', asText, async (_request: FastifyRequest, body: string) =>
    body.trim() === '' ? undefined : parseJson(body),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    asText,
    async (_request: FastifyRequest, body: string) => Object.fromEntries(new URLSearchParams(body)),
  );
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal('invalid', { detail: `JSON parse error - ${why}` });
  }
}
