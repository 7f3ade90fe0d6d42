import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { JOB_STATUS } from '../../../domain/job.ts';
import type { JobRequest } from '../store/job-change.ts';
import type { JobRow } from '../store/rows.ts';
import type { BrokerStore } from '../store/store.ts';
import { anyText, type ByUuid, choice, readBody, text } from './request.ts';
import { Views } from './views.ts';

const { CREATED, IN_PROGRESS, SUCCEEDED, FAILED, TIMEOUT } = JOB_STATUS;
const status = () => choice(CREATED, IN_PROGRESS, SUCCEEDED, FAILED, TIMEOUT);
const query = z.object({
  instance: text().optional(),
  run: text().optional(),
  status: status().optional(),
});
const change = z.object({
  status: status(),
  instance: text(),
  build_logs: anyText().nullish(),
  stdout: anyText().nullish(),
  stderr: anyText().nullish(),
  result: anyText().nullish(),
});

/** `/api/v1/jobs/`: listing, claiming, releasing and reporting jobs. */
export function jobRoutes(app: FastifyInstance, store: BrokerStore): void {
  const views = new Views(store);

  app.get('/api/v1/jobs', (request) => {
    const filter = readBody(query, request.query);
    if (filter.instance !== undefined) {
      const instance = store.instances.refer('instance', filter.instance);
      // Only what the instance holds: who looks up ended jobs, such as its owner, is not the agent.
      if (filter.status === undefined || filter.status === IN_PROGRESS) store.market.seen(instance);
    }
    return find(store, filter).map((job) => views.job(job));
  });

  app.get<ByUuid>('/api/v1/jobs/:uuid', (request) => views.job(store.market.jobs.get(request.params.uuid)));

  app.patch<ByUuid>('/api/v1/jobs/:uuid', (request) => {
    const { uuid } = store.market.jobs.get(request.params.uuid);
    const body = readBody(change, request.body);
    const instance = store.instances.refer('instance', body.instance);
    return views.job(store.market.change(uuid, instance, requestOf(body)));
  });
}

/** The jobs that match the query, searched in the smallest index that has them. */
function find(store: BrokerStore, filter: z.infer<typeof query>): readonly JobRow[] {
  return candidates(store, filter).filter(
    (job) =>
      (filter.run === undefined || job.run === filter.run) &&
      (filter.instance === undefined || job.instance === filter.instance) &&
      (filter.status === undefined || job.status === filter.status),
  );
}

function candidates(store: BrokerStore, filter: z.infer<typeof query>): readonly JobRow[] {
  const { jobs } = store.market;
  if (filter.run !== undefined) return jobs.ofRun(filter.run);
  if (filter.instance !== undefined && filter.status === IN_PROGRESS) return jobs.heldBy(filter.instance);
  return jobs.all();
}

function requestOf(body: z.infer<typeof change>): JobRequest {
  if (body.status === CREATED) return { kind: 'release' };
  if (body.status === IN_PROGRESS) return { kind: 'claim' };
  return {
    kind: 'report',
    report: {
      status: body.status,
      buildLogs: body.build_logs ?? '',
      stdout: body.stdout ?? '',
      stderr: body.stderr ?? '',
      result: body.result ?? '',
    },
  };
}
