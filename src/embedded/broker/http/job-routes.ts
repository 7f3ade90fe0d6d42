import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { JOB_STATUS } from '../../../domain/job.ts';
import type { JobRequest } from '../store/job-change.ts';
import type { JobRow } from '../store/rows.ts';
import type { BrokerStore } from '../store/store.ts';
import type { ByUuid } from './by-uuid.ts';
import { anyText, choice, readBody, text } from './fields.ts';
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

/** `/api/v1/jobs/`: looking for jobs; claiming, releasing and reporting them. */
export function jobRoutes(app: FastifyInstance, store: BrokerStore): void {
  const views = new Views(store);

  app.get('/api/v1/jobs', (request) => {
    const wanted = readBody(query, request.query);
    if (wanted.instance !== undefined) store.market.seen(store.instances.refer('instance', wanted.instance));
    return find(store, wanted).map((job) => views.job(job));
  });

  app.get<ByUuid>('/api/v1/jobs/:uuid', (request) => views.job(store.market.jobs.get(request.params.uuid)));

  app.patch<ByUuid>('/api/v1/jobs/:uuid', (request) => {
    const { uuid } = store.market.jobs.get(request.params.uuid);
    const body = readBody(change, request.body);
    const instance = store.instances.refer('instance', body.instance);
    return views.job(store.market.change(uuid, instance, requestOf(body)));
  });
}

/** All jobs that have everything that is wanted of them, by way of the smallest list that has them all. */
function find(store: BrokerStore, wanted: z.infer<typeof query>): readonly JobRow[] {
  return candidates(store, wanted).filter(
    (job) =>
      (wanted.run === undefined || job.run === wanted.run) &&
      (wanted.instance === undefined || job.instance === wanted.instance) &&
      (wanted.status === undefined || job.status === wanted.status),
  );
}

function candidates(store: BrokerStore, wanted: z.infer<typeof query>): readonly JobRow[] {
  const { jobs } = store.market;
  if (wanted.run !== undefined) return jobs.ofRun(wanted.run);
  if (wanted.instance !== undefined && wanted.status === IN_PROGRESS) return jobs.heldBy(wanted.instance);
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
