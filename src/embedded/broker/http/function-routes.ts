import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { BrokerStore } from '../store/store.ts';
import { anyText, type ByUuid, readBody, text } from './request.ts';
import { Views } from './views.ts';

const newFunction = z.object({
  name: text(),
  code: anyText(),
  image: text(),
  runtime: text().optional(),
});
const change = newFunction.partial();

/** `/api/v1/functions/`. */
export function functionRoutes(app: FastifyInstance, store: BrokerStore): void {
  const views = new Views(store);

  app.get('/api/v1/functions', () => store.functions.all().map((fn) => views.fn(fn)));

  app.get<ByUuid>('/api/v1/functions/:uuid', (request) => views.fn(store.functions.get(request.params.uuid)));

  app.post('/api/v1/functions', (request) => {
    const { runtime, ...fn } = readBody(newFunction, request.body);
    const uuid = store.addFunction(runtime === undefined ? fn : { ...fn, runtime });
    return views.fn(store.functions.get(uuid));
  });

  for (const [method, schema] of [['PUT', newFunction] as const, ['PATCH', change] as const]) {
    app.route<ByUuid>({
      method,
      url: '/api/v1/functions/:uuid',
      handler: (request) => {
        const { uuid } = store.functions.get(request.params.uuid);
        return views.fn(store.changeFunction(uuid, readBody(schema, request.body)));
      },
    });
  }

  app.delete<ByUuid>('/api/v1/functions/:uuid', (request) => {
    store.functions.remove(request.params.uuid);
    return {};
  });
}
