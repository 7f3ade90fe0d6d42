import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { InstanceTerms } from '../store/offers.ts';
import type { Patch } from '../store/patch.ts';
import { INSTANCE_TYPE, type InstanceRow } from '../store/rows.ts';
import type { BrokerStore } from '../store/store.ts';
import { userOf } from './auth.ts';
import { type ByUuid, choice, count, price, readBody, reference, text } from './request.ts';
import { Views } from './views.ts';

const newInstance = z.object({
  name: text(),
  type: choice(INSTANCE_TYPE.CPU, INSTANCE_TYPE.GPU),
  gpu: reference(),
  ask_price: price(),
  max_num_parallel_jobs: count(),
});
const change = newInstance.partial();
const imageOfInstance = z.object({ image_registry_path: text() });

/** `/api/v1/instances/`. */
export function instanceRoutes(app: FastifyInstance, store: BrokerStore): void {
  const views = new Views(store);
  const { offers, instances } = store;

  app.get('/api/v1/instances', (request) => {
    const { username } = userOf(request, store);
    const own = instances.all().filter(({ owner }) => owner === username);
    return own.map((instance) => views.instance(instance));
  });

  app.get<ByUuid>('/api/v1/instances/:uuid', (request) => views.instance(instances.get(request.params.uuid)));

  app.post('/api/v1/instances', (request) => {
    const body = readBody(newInstance, request.body);
    const terms: InstanceTerms = {
      name: body.name,
      type: body.type,
      gpu: body.gpu,
      askPrice: body.ask_price,
      maxNumParallelJobs: body.max_num_parallel_jobs,
    };
    return views.instance(offers.add(userOf(request, store).username, terms));
  });

  for (const [method, schema] of [['PUT', newInstance] as const, ['PATCH', change] as const]) {
    app.route<ByUuid>({
      method,
      url: '/api/v1/instances/:uuid',
      handler: (request) => {
        const { uuid } = instances.get(request.params.uuid);
        const body: z.infer<typeof change> = readBody(schema, request.body);
        const terms: Patch<InstanceTerms> = {
          name: body.name,
          type: body.type,
          gpu: body.gpu,
          askPrice: body.ask_price,
          maxNumParallelJobs: body.max_num_parallel_jobs,
        };
        return views.instance(offers.changeTerms(uuid, terms));
      },
    });
  }

  app.delete<ByUuid>('/api/v1/instances/:uuid', (request) => {
    offers.delete(request.params.uuid);
    return {};
  });

  type Action = (uuid: string, body: unknown) => InstanceRow;
  const actions: readonly (readonly [string, Action])[] = [
    ['start', (uuid) => offers.setAvailable(uuid, true)],
    ['stop', (uuid) => offers.setAvailable(uuid, false)],
    ['add-image', (uuid, body) => offers.addImage(uuid, readBody(imageOfInstance, body).image_registry_path)],
    [
      'delete-image',
      (uuid, body) => offers.deleteImage(uuid, readBody(imageOfInstance, body).image_registry_path),
    ],
  ];
  for (const [name, action] of actions) {
    app.patch<ByUuid>(`/api/v1/instances/:uuid/${name}`, (request) => {
      const { uuid } = instances.get(request.params.uuid);
      return views.instance(action(uuid, request.body));
    });
  }
}
