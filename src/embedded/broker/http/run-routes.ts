import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { BrokerStore } from '../store/store.ts';
import { userOf } from './auth.ts';
import { isCurrent, preferredWait } from './conditional.ts';
import { holdUntilChanged } from './hold.ts';
import { anyText, type ByUuid, price, readBody, reference, text } from './request.ts';
import { RunPages } from './run-pages.ts';
import { Views } from './views.ts';

/** How the market is shown. */
export type MarketView = {
  /** Whether `?instance=` leaves out what that instance cannot win. */
  readonly leaveOutUnwinnable: boolean;
  /** Distinguishes the entity tags of this broker from those of an earlier one at the same address. */
  readonly epoch: string;
};

const query = z.object({ instance: text().optional() });
const newRun = z.object({
  function: text(),
  parameters: anyText(),
  bid_price: price(),
  base_gpu: reference(),
});

/** `/api/v1/runs`: the market. */
export function runRoutes(app: FastifyInstance, store: BrokerStore, view: MarketView): void {
  const views = new Views(store);
  const pages = new RunPages(store.market);

  app.get('/api/v1/runs', async (request, reply) => {
    const { instance: uuid } = readBody(query, request.query);
    if (uuid !== undefined) store.market.seen(store.instances.refer('instance', uuid));
    const filters = uuid !== undefined && view.leaveOutUnwinnable;
    const list = filters ? store.market.winnable : store.market.open;
    const etag = (): string => `"${view.epoch}-${filters ? 'winnable' : 'open'}-${list.version}"`;
    const known = request.headers['if-none-match'];

    const wait = preferredWait(request.headers['prefer']);
    if (wait > 0) reply.header('preference-applied', `wait=${wait}`);
    if (wait > 0 && isCurrent(known, etag())) {
      await holdUntilChanged(list, list.version, wait, reply.raw);
    }

    reply.header('etag', etag());
    if (isCurrent(known, etag())) return reply.code(304).send();
    const instance = filters ? store.instances.refer('instance', uuid) : undefined;
    return reply.type('application/json; charset=utf-8').send(pages.page(list, instance, store.clock.now()));
  });

  app.get<ByUuid>('/api/v1/runs/:uuid', (request) => views.run(store.market.runs.get(request.params.uuid)));

  app.post('/api/v1/runs', (request) => {
    const run = readBody(newRun, request.body);
    const uuid = store.addRun({
      function: run.function,
      parameters: run.parameters,
      bidPrice: run.bid_price,
      baseGpu: run.base_gpu,
      owner: userOf(request, store).username,
    });
    return views.run(store.market.runs.get(uuid));
  });

  app.delete<ByUuid>('/api/v1/runs/:uuid', (request) => {
    store.deleteRun(request.params.uuid);
    return {};
  });
}
