import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { BrokerStore } from '../store/store.ts';
import { userOf } from './auth.ts';
import type { ByUuid } from './by-uuid.ts';
import { readBody, text } from './fields.ts';
import { Views } from './views.ts';

const imageQuery = z.object({ instance: text().optional() });

/** What is there only to be read: images, GPU models, the offers of others, one's account. */
export function catalogueRoutes(app: FastifyInstance, store: BrokerStore): void {
  const views = new Views(store);

  app.get('/api/v1/images', (request) => {
    const { instance } = readBody(imageQuery, request.query);
    const here =
      instance === undefined ? undefined : store.instances.refer('instance', instance).downloadedImages;
    const images = store.images
      .all()
      .filter((image) => here === undefined || here.includes(image.registryPath));
    return images.map((image) => views.image(image));
  });
  app.get<ByUuid>('/api/v1/images/:uuid', (request) => views.image(store.images.get(request.params.uuid)));

  app.get('/api/v1/gpus', () => store.gpus.all().map((gpu) => views.gpu(gpu)));
  app.get<ByUuid>('/api/v1/gpus/:uuid', (request) => views.gpu(store.gpus.get(request.params.uuid)));

  app.get('/api/v1/offers', () => {
    const offered = store.instances.all().filter((instance) => instance.available);
    return offered.map((instance) => views.offer(instance));
  });

  app.get('/api/v1/users/account', (request) => views.account(userOf(request, store)));
}
