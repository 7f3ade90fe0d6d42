import fastify, { type FastifyInstance } from 'fastify';
import type { BrokerStore } from '../store/store.ts';
import { authRoutes } from './auth.ts';
import { acceptBodies, BODY_LIMIT_BYTES } from './bodies.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import { answerErrors } from './errors.ts';
import { functionRoutes } from './function-routes.ts';
import { instanceRoutes } from './instance-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { type MarketView, runRoutes } from './run-routes.ts';

/** The broker's HTTP API over a store. Every path works with and without a trailing slash. */
export function buildServer(store: BrokerStore, view: MarketView): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
  });
  acceptBodies(app);
  answerErrors(app);
  app.addHook('preHandler', async () => {
    store.market.expireLeases();
  });
  authRoutes(app, store);
  runRoutes(app, store, view);
  jobRoutes(app, store);
  functionRoutes(app, store);
  instanceRoutes(app, store);
  catalogueRoutes(app, store);
  return app;
}
