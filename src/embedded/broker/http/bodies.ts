import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../store/refusal.ts';

/** Reports and functions have several MiB, three times as much if sent as a form. */
export const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

/** Parses JSON and forms. A missing body counts as empty with any content type. */
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
