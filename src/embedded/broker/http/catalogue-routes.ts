import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { BrokerStore } from '../store/store.ts';
import { userOf } from './auth.ts';
import { type ByUuid, readBody, text } from './request.ts';
import { Views } from './views.ts';

const imageQuery = z.object({ instance: text().optional() });

/** The read-only resources: images, GPU models, offers, the account. */
export function catalogueRoutes(app: FastifyInstance, store: BrokerStore): void {
  const views = new Views(store);

  app.get('/api/v1/images', (request) => {
    const { instance } = readBody(imageQuery, request.query);
    const downloaded =
      instance === undefined ? undefined : store.instances.refer('instance', instance).downloadedImages;
    const images = store.images
      .all()
      .filter((image) => downloaded === undefined || downloaded.includes(image.registryPath));
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
