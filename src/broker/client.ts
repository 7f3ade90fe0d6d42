import type { CatalogueGpu } from '../domain/gpu.ts';
import { type BrokerJob, JOB_STATUS, type Report } from '../domain/job.ts';
import type { OfferPlan } from '../domain/offer.ts';
import type {
  Broker,
  ClaimAnswer,
  Instance,
  Listed,
  MarketAnswer,
  ReportAnswer,
} from '../domain/ports/broker.ts';
import type { FunctionSpec, ImageInfo, Run } from '../domain/run.ts';
import {
  expectSuccess,
  finalJsonOf,
  isFinal,
  isGone,
  isNoContent,
  isUnconfirmed,
  jsonOf,
  notJson,
  requestedWaitMs,
} from './answer.ts';
import { badAnswer, readItems, readResource } from './fields.ts';
import { allItems } from './pages.ts';
import type { Call, Reply, Transport } from './transport.ts';
import { functionSchema, gpuSchema, imageSchema, serverTimeSchema } from './wire-catalogue.ts';
import { instanceBody, instanceSchema } from './wire-instance.ts';
import { costSchema, jobSchema, readJobs, reportBody } from './wire-job.ts';
import { readRun, readRuns } from './wire-run.ts';

type RunsQuery = Parameters<Broker['runs']>[0];

/** The body of a release or a report. */
type JobUpdate = NonNullable<Call['body']> & { readonly status: number; readonly instance: string };

/** The broker over HTTP, one method per endpoint. Every failure is an AgentError BROKER_*. Nothing is retried. */
export class HttpBroker implements Broker {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async runs({ etag, instance, signal, waitSeconds }: RunsQuery): Promise<MarketAnswer> {
    const first = await this.#transport.send({
      method: 'GET',
      path: '/api/v1/runs',
      query: instance === undefined ? {} : { instance },
      headers: {
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
        ...(waitSeconds > 0 ? { prefer: `wait=${waitSeconds}` } : {}),
      },
      holdMs: waitSeconds * 1000,
      signal,
    });
    const headers = {
      etag: first.header('etag'),
      waited: /(?:^|[,;\s])wait\b/i.test(first.header('preference-applied') ?? ''),
      retryAfterMs: requestedWaitMs(first),
    };
    if (first.status === 304 && etag !== undefined) {
      return { ...headers, unchanged: true, runs: [], invalid: [] };
    }
    return { ...headers, unchanged: false, ...readRuns(await this.#items(first, signal)) };
  }

  async run(uuid: string, signal: AbortSignal): Promise<Run | undefined> {
    const reply = await this.#get(`/api/v1/runs/${encodeURIComponent(uuid)}`, signal);
    if (isGone(reply)) return undefined;
    const run = readRun(jsonOf(reply));
    if ('reason' in run) throw badAnswer(`the broker’s answer is not a run: ${run.reason}`);
    return run;
  }

  async function(uuid: string, signal: AbortSignal): Promise<FunctionSpec | undefined> {
    const reply = await this.#get(resource('functions', uuid), signal);
    return isGone(reply) ? undefined : readResource(functionSchema, jsonOf(reply), 'function');
  }

  async image(uuid: string, signal: AbortSignal): Promise<ImageInfo | undefined> {
    const reply = await this.#get(resource('images', uuid), signal);
    return isGone(reply) ? undefined : readResource(imageSchema, jsonOf(reply), 'image');
  }

  async gpus(signal: AbortSignal): Promise<Listed<CatalogueGpu>> {
    return readItems(gpuSchema, await this.#list('/api/v1/gpus/', {}, signal));
  }

  async clock(
    signal: AbortSignal,
  ): Promise<{ readonly brokerMs: number; readonly localMs: number } | undefined> {
    const asked = Date.now();
    const reply = await this.#get('/api/v1/users/account/', signal);
    const localMs = Math.round((asked + Date.now()) / 2);
    const brokerMs = serverTimeSchema.parse(jsonOf(reply)) ?? Date.parse(reply.header('date') ?? '');
    return Number.isNaN(brokerMs) ? undefined : { brokerMs, localMs };
  }

  async instances(signal: AbortSignal): Promise<Listed<Instance>> {
    return readItems(instanceSchema, await this.#list('/api/v1/instances/', {}, signal));
  }

  async instance(uuid: string, signal: AbortSignal): Promise<Instance | undefined> {
    const reply = await this.#get(resource('instances', uuid), signal);
    return isGone(reply) ? undefined : readInstance(reply);
  }

  async createInstance(plan: OfferPlan, signal: AbortSignal): Promise<Instance> {
    const path = '/api/v1/instances/';
    return readInstance(
      await this.#transport.send({ method: 'POST', path, body: instanceBody(plan), signal }),
    );
  }

  async updateInstance(uuid: string, plan: OfferPlan, signal: AbortSignal): Promise<Instance> {
    return readInstance(await this.#patch(resource('instances', uuid), instanceBody(plan), signal));
  }

  async startInstance(uuid: string, signal: AbortSignal): Promise<void> {
    const reply = await this.#patch(`${resource('instances', uuid)}start/`, {}, signal);
    expectSuccess(reply);
    // Verified because an instance that is not on the market earns nothing, and nothing else would show it.
    if (!isUnconfirmed(reply)) return;
    const instance = await this.instance(uuid, signal);
    if (instance?.available !== true) throw notJson(reply);
  }

  async stopInstance(uuid: string, signal: AbortSignal): Promise<void> {
    expectSuccess(await this.#patch(`${resource('instances', uuid)}stop/`, {}, signal));
  }

  async addImage(instance: string, registryPath: string, signal: AbortSignal): Promise<void> {
    const path = `${resource('instances', instance)}add-image/`;
    expectSuccess(await this.#patch(path, { image_registry_path: registryPath }, signal));
  }

  async openJobs(run: string, signal: AbortSignal): Promise<Listed<BrokerJob>> {
    const status = JOB_STATUS.CREATED;
    const items = await this.#list('/api/v1/jobs/', { run, status: String(status) }, signal);
    return readJobs(items, { run, status });
  }

  async heldJobs(instance: string, signal: AbortSignal): Promise<Listed<BrokerJob>> {
    const status = JOB_STATUS.IN_PROGRESS;
    const items = await this.#list('/api/v1/jobs/', { instance, status: String(status) }, signal);
    return readJobs(items, { instance, status });
  }

  async job(uuid: string, signal: AbortSignal): Promise<BrokerJob | undefined> {
    const reply = await this.#get(resource('jobs', uuid), signal);
    return isGone(reply) ? undefined : readResource(jobSchema, jsonOf(reply), 'job');
  }

  async claim(job: string, instance: string, signal: AbortSignal): Promise<ClaimAnswer> {
    const reply = await this.#patch(
      resource('jobs', job),
      { status: JOB_STATUS.IN_PROGRESS, instance },
      signal,
    );
    if (isFinal(reply)) {
      if (isGone(reply)) return { kind: 'gone' };
      return { kind: reply.status === 403 ? 'underbid' : 'lost' };
    }
    const claimed = readResource(jobSchema, finalJsonOf(reply), 'job');
    if (claimed.uuid !== job) throw badAnswer(`${reply.call}: the broker answered with another job`);
    return isHeld(claimed, instance) ? { kind: 'claimed', job: claimed } : { kind: 'lost' };
  }

  async release(job: string, instance: string, signal: AbortSignal): Promise<ReportAnswer> {
    const status = JOB_STATUS.CREATED;
    return this.#update(job, { status, instance }, signal);
  }

  async report(job: string, instance: string, report: Report, signal: AbortSignal): Promise<ReportAnswer> {
    return this.#update(job, reportBody(instance, report), signal);
  }

  /** Releases or reports a job. After an empty 2xx the broker's record of the job decides. */
  async #update(uuid: string, update: JobUpdate, signal: AbortSignal): Promise<ReportAnswer> {
    const reply = await this.#patch(resource('jobs', uuid), update, signal);
    if (!isUnconfirmed(reply)) return reportAnswer(reply);
    const job = await this.job(uuid, signal);
    if (job === undefined) return { kind: 'gone' };
    if (job.uuid !== uuid) throw badAnswer(`${reply.call}: the broker answered with another job`);
    if (isHeld(job, update.instance)) throw notJson(reply);
    const isTaken = job.status === update.status && (job.instance ?? update.instance) === update.instance;
    return isTaken ? { kind: 'taken', cost: job.cost } : { kind: 'not-ours' };
  }

  #get(path: string, signal: AbortSignal): Promise<Reply> {
    return this.#transport.send({ method: 'GET', path, signal });
  }

  #patch(path: string, body: NonNullable<Call['body']>, signal: AbortSignal): Promise<Reply> {
    return this.#transport.send({ method: 'PATCH', path, body, signal });
  }

  async #list(
    path: string,
    query: NonNullable<Call['query']>,
    signal: AbortSignal,
  ): Promise<readonly unknown[]> {
    return this.#items(await this.#transport.send({ method: 'GET', path, query, signal }), signal);
  }

  #items(first: Reply, signal: AbortSignal): Promise<readonly unknown[]> {
    return allItems(first, (url) => this.#get(url, signal));
  }
}

function resource(kind: string, uuid: string): string {
  return `/api/v1/${kind}/${encodeURIComponent(uuid)}/`;
}

function readInstance(reply: Reply): Instance {
  return readResource(instanceSchema, jsonOf(reply), 'instance');
}

function isHeld(job: BrokerJob, instance: string): boolean {
  return job.status === JOB_STATUS.IN_PROGRESS && job.instance === instance;
}

function reportAnswer(reply: Reply): ReportAnswer {
  if (isFinal(reply)) return { kind: isGone(reply) ? 'gone' : 'not-ours' };
  if (isNoContent(reply)) return { kind: 'taken', cost: undefined };
  return { kind: 'taken', cost: costSchema.parse(finalJsonOf(reply)) };
}
