import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { UserRow } from '../store/rows.ts';
import type { BrokerStore } from '../store/store.ts';
import { readBody, text } from './request.ts';

const LOGIN_PATH = '/api/v1/api-token-auth';
const login = z.object({ username: text(), password: text() });

/** Requires a token for every call but the login, which returns one. */
export function authRoutes(app: FastifyInstance, store: BrokerStore): void {
  app.addHook('onRequest', async (request) => {
    const path = request.routeOptions.url;
    if (path !== undefined && path !== LOGIN_PATH) userOf(request, store);
  });
  app.post(LOGIN_PATH, (request) => {
    const { username, password } = readBody(login, request.body);
    return { token: store.accounts.login(username, password).token };
  });
}

/** The user whose token is in `Authorization: Token <token>`. Throws an unauthorized Refusal. */
export function userOf(request: FastifyRequest, store: BrokerStore): UserRow {
  return store.accounts.withToken(/^token +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]);
}
