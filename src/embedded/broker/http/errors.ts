import type { FastifyInstance } from 'fastify';
import { notFound, Refusal, type RefusalKind } from '../store/refusal.ts';

const STATUS: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
};

/** Converts what a route throws to the broker's error answers. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<Error & { readonly statusCode?: number }>(async (error, _request, reply) => {
    if (error instanceof Refusal) {
      if (error.kind === 'unauthorized') reply.header('www-authenticate', 'Token');
      return reply.code(STATUS[error.kind]).send(error.body);
    }
    return reply.code(error.statusCode ?? 500).send({ detail: error.message });
  });
  app.setNotFoundHandler(() => {
    throw notFound();
  });
}
