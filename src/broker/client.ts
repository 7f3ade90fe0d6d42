import type { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { CatalogueGpu } from '../domain/gpu.ts';
import { type BrokerJob, JOB_STATUS, type JobWithArguments, type Report } from '../domain/job.ts';
import type { OfferPlan } from '../domain/offer.ts';
import type {
  Broker,
  ClaimAnswer,
  Instance,
  Listed,
  MarketAnswer,
  MarketOffer,
  ReportAnswer,
} from '../domain/ports/broker.ts';
import type { FunctionWithCode, ImageInfo, Run } from '../domain/run.ts';
import { LIMITS } from '../limits.ts';
import {
  expectBroker,
  expectOk,
  isEmpty,
  isFinal,
  isGone,
  isNoContent,
  isUnconfirmed,
  notJson,
  requestedWaitMs,
} from './answer.ts';
import { badAnswer, InvalidItems, readItem, readResource } from './fields.ts';
import type { Fields, ProjectedItem } from './json-fields.ts';
import { type ListOptions, type ListRead, readList } from './read-list.ts';
import { ResourceReader } from './read-resource.ts';
import type { Call, Reply, Transport } from './transport.ts';
import {
  FUNCTION_FIELDS,
  functionSchema,
  GPU_FIELDS,
  gpuSchema,
  IMAGE_FIELDS,
  imageSchema,
  MARKET_OFFER_FIELDS,
  marketOfferSchema,
  SERVER_TIME_FIELDS,
  serverTimeSchema,
} from './wire-catalogue.ts';
import { INSTANCE_FIELDS, instanceBody, instanceSchema } from './wire-instance.ts';
import {
  CLAIMED_FIELDS,
  COST_FIELDS,
  costSchema,
  JOB_FIELDS,
  JobList,
  jobSchema,
  jobWithArgumentsSchema,
  OPEN_FIELDS,
  reportBody,
} from './wire-job.ts';
import { RUN_FIELDS, RunList, readRun } from './wire-run.ts';

type RunsQuery = Parameters<Broker['runs']>[0];

type Body = NonNullable<Call['body']>;

/** An answer whose body is read as one resource. */
type Answer = { readonly reply: Reply; readonly body: ResourceReader };

/** The body of a release or a report. */
type JobUpdate = Body & { readonly status: number; readonly instance: string };

/** The broker over HTTP, one method per endpoint. Every failure is an AgentError BROKER_*. Nothing is retried. */
export class HttpBroker implements Broker {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async runs({ etag, instance, signal, waitSeconds }: RunsQuery): Promise<MarketAnswer> {
    const runs = new RunList();
    const { busyMs, first, isCut } = await this.#list(
      {
        path: '/api/v1/runs',
        query: instance === undefined ? {} : { instance },
        headers: {
          ...(etag === undefined ? {} : { 'if-none-match': etag }),
          ...(waitSeconds > 0 ? { prefer: `wait=${waitSeconds}` } : {}),
        },
        holdMs: waitSeconds * 1000,
        signal,
      },
      {
        fields: RUN_FIELDS,
        beyond: 'cut',
        isUnchanged: ({ status }) => status === 304 && etag !== undefined,
        onItem: (item) => {
          runs.add(item);
          return true;
        },
      },
    );
    return {
      unchanged: first.status === 304,
      runs: runs.end(),
      ...invalidOf(runs.invalid),
      isCut: isCut || runs.isCut,
      busyMs,
      etag: first.header('etag'),
      waited: /(?:^|[,;\s])wait\b/i.test(first.header('preference-applied') ?? ''),
      retryAfterMs: requestedWaitMs(first),
    };
  }

  async run(uuid: string, signal: AbortSignal): Promise<Run | undefined> {
    const answer = await this.#get(`/api/v1/runs/${encodeURIComponent(uuid)}`, RUN_FIELDS, signal);
    if (isGone(answer.reply)) return undefined;
    const run = readRun(jsonOf(answer));
    if ('reason' in run) throw badAnswer(`the broker’s answer is not a run: ${run.reason}`);
    return run;
  }

  async function(uuid: string, signal: AbortSignal): Promise<FunctionWithCode | undefined> {
    const answer = await this.#get(resource('functions', uuid), FUNCTION_FIELDS, signal);
    if (isGone(answer.reply)) return undefined;
    if (answer.body.refusal?.startsWith('code:') === true) throw codeTooLong(uuid);
    const found = readResource(functionSchema, jsonOf(answer), 'function');
    if (found.code.length > LIMITS.broker.code.max) throw codeTooLong(uuid);
    return found;
  }

  async image(uuid: string, signal: AbortSignal): Promise<ImageInfo | undefined> {
    const answer = await this.#get(resource('images', uuid), IMAGE_FIELDS, signal);
    return isGone(answer.reply) ? undefined : readResource(imageSchema, jsonOf(answer), 'image');
  }

  gpus(signal: AbortSignal): Promise<Listed<CatalogueGpu>> {
    const options = { fields: GPU_FIELDS, max: LIMITS.broker.gpus.max, beyond: 'cut' } as const;
    return this.#items('/api/v1/gpus/', gpuSchema, options, signal);
  }

  /** What all providers ask at the moment. */
  offers(signal: AbortSignal): Promise<Listed<MarketOffer>> {
    const options = { fields: MARKET_OFFER_FIELDS, max: LIMITS.broker.offers.max, beyond: 'cut' } as const;
    return this.#items('/api/v1/offers/', marketOfferSchema, options, signal);
  }

  async clock(
    signal: AbortSignal,
  ): Promise<{ readonly brokerMs: number; readonly localMs: number } | undefined> {
    const asked = Date.now();
    const answer = await this.#get('/api/v1/users/account/', SERVER_TIME_FIELDS, signal);
    const localMs = Math.round((asked + Date.now()) / 2);
    const brokerMs = serverTimeSchema.parse(jsonOf(answer)) ?? Date.parse(answer.reply.header('date') ?? '');
    return Number.isNaN(brokerMs) ? undefined : { brokerMs, localMs };
  }

  instances(signal: AbortSignal): Promise<Listed<Instance>> {
    const options = { fields: INSTANCE_FIELDS, max: LIMITS.broker.instances.max, beyond: 'refuse' } as const;
    return this.#items('/api/v1/instances/', instanceSchema, options, signal);
  }

  async instance(uuid: string, signal: AbortSignal): Promise<Instance | undefined> {
    const answer = await this.#get(resource('instances', uuid), INSTANCE_FIELDS, signal);
    return isGone(answer.reply) ? undefined : readInstance(answer);
  }

  async createInstance(plan: OfferPlan, signal: AbortSignal): Promise<Instance> {
    const call = { method: 'POST', path: '/api/v1/instances/', body: instanceBody(plan), signal } as const;
    return readInstance(await this.#send(call, INSTANCE_FIELDS));
  }

  async updateInstance(uuid: string, plan: OfferPlan, signal: AbortSignal): Promise<Instance> {
    return readInstance(
      await this.#patch(resource('instances', uuid), instanceBody(plan), INSTANCE_FIELDS, signal),
    );
  }

  async startInstance(uuid: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#patch(`${resource('instances', uuid)}start/`, {}, {}, signal);
    expectSuccess(answer);
    // Verified because an instance that is not on the market earns nothing, and nothing else would show it.
    if (!isUnconfirmed(answer.reply)) return;
    const instance = await this.instance(uuid, signal);
    if (instance?.available !== true) throw notJson(answer.reply);
  }

  async stopInstance(uuid: string, signal: AbortSignal): Promise<void> {
    expectSuccess(await this.#patch(`${resource('instances', uuid)}stop/`, {}, {}, signal));
  }

  async addImage(instance: string, registryPath: string, signal: AbortSignal): Promise<void> {
    const path = `${resource('instances', instance)}add-image/`;
    expectSuccess(await this.#patch(path, { image_registry_path: registryPath }, {}, signal));
  }

  async openJobs(run: string, signal: AbortSignal): Promise<Listed<JobWithArguments>> {
    const status = JOB_STATUS.CREATED;
    const jobs = new JobList({ run, status }, readOpenJob);
    const query = { run, status: String(status) };
    const { busyMs } = await this.#list(
      { path: '/api/v1/jobs/', query, signal },
      {
        fields: OPEN_FIELDS,
        beyond: 'refuse',
        onItem: (item) => jobs.add(item) < LIMITS.broker.openJobs.max,
      },
    );
    const isCut = jobs.jobs.length >= LIMITS.broker.openJobs.max;
    return { items: jobs.jobs, ...invalidOf(jobs.invalid), isCut, busyMs };
  }

  async heldJobs(instance: string, signal: AbortSignal): Promise<Listed<BrokerJob>> {
    const status = JOB_STATUS.IN_PROGRESS;
    const jobs = new JobList({ instance, status }, (item) => readItem(jobSchema, item));
    const query = { instance, status: String(status) };
    const max = LIMITS.broker.heldJobs.max;
    const { busyMs } = await this.#list(
      { path: '/api/v1/jobs/', query, signal },
      {
        fields: JOB_FIELDS,
        beyond: 'refuse',
        onItem: (item) => {
          if (jobs.add(item) <= max) return true;
          throw badAnswer(`the broker lists more than ${max} jobs as held by one instance`);
        },
      },
    );
    return { items: jobs.jobs, ...invalidOf(jobs.invalid), isCut: false, busyMs };
  }

  async job(uuid: string, signal: AbortSignal): Promise<BrokerJob | undefined> {
    const answer = await this.#get(resource('jobs', uuid), JOB_FIELDS, signal);
    return isGone(answer.reply) ? undefined : readResource(jobSchema, jsonOf(answer), 'job');
  }

  async claim(job: string, instance: string, signal: AbortSignal): Promise<ClaimAnswer> {
    const update = { status: JOB_STATUS.IN_PROGRESS, instance };
    const call = { method: 'PATCH', path: resource('jobs', job), body: update, signal } as const;
    // Urgent because a job that is won is released where its answer comes too late; there are as many as free slots.
    const answer = await this.#send({ ...call, isUrgent: true }, CLAIMED_FIELDS);
    const { body, reply } = answer;
    if (isFinal(reply)) {
      if (isGone(reply)) return { kind: 'gone' };
      return { kind: reply.status === 403 ? 'underbid' : 'lost' };
    }
    expectBroker(reply);
    const claimed = readResource(jobWithArgumentsSchema(body.omitted), jsonOf(answer), 'job');
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
    const answer = await this.#patch(resource('jobs', uuid), update, COST_FIELDS, signal);
    const { reply } = answer;
    if (!isUnconfirmed(reply)) return reportAnswer(answer);
    const job = await this.job(uuid, signal);
    if (job === undefined) return { kind: 'gone' };
    if (job.uuid !== uuid) throw badAnswer(`${reply.call}: the broker answered with another job`);
    if (isHeld(job, update.instance)) throw notJson(reply);
    const isTaken = job.status === update.status && (job.instance ?? update.instance) === update.instance;
    return isTaken ? { kind: 'taken', cost: job.cost } : { kind: 'not-ours' };
  }

  async #send(call: Omit<Call, 'into'>, fields: Fields): Promise<Answer> {
    const body = new ResourceReader(fields);
    return { reply: await this.#transport.send({ ...call, into: body }), body };
  }

  #get(path: string, fields: Fields, signal: AbortSignal): Promise<Answer> {
    return this.#send({ method: 'GET', path, signal }, fields);
  }

  #patch(path: string, body: Body, fields: Fields, signal: AbortSignal): Promise<Answer> {
    return this.#send({ method: 'PATCH', path, body, signal }, fields);
  }

  #list(first: Omit<Call, 'into' | 'method'>, options: ListOptions): Promise<ListRead> {
    const { signal } = first;
    return readList(
      (address, into) =>
        this.#transport.send({
          method: 'GET',
          ...(address === undefined ? first : { path: address, signal }),
          into,
        }),
      options,
    );
  }

  /** Reads a list of which all items are wanted. */
  async #items<Shape>(
    path: string,
    schema: z.ZodType<Shape>,
    { max, ...options }: Omit<ListOptions, 'onItem'> & { readonly max: number },
    signal: AbortSignal,
  ): Promise<Listed<Shape>> {
    const items: Shape[] = [];
    const invalid = new InvalidItems();
    let isFull = false;
    const onItem = (item: ProjectedItem): boolean => {
      const read = readItem(schema, item);
      if ('invalid' in read) invalid.add(read.invalid);
      else if (items.length < max) items.push(read.value);
      else if (options.beyond === 'cut') isFull = true;
      else throw badAnswer(`the list has more than ${max} items`);
      return !isFull;
    };
    const { busyMs, isCut } = await this.#list({ path, signal }, { ...options, onItem });
    return { items, ...invalidOf(invalid), isCut: isCut || isFull, busyMs };
  }
}

function resource(kind: string, uuid: string): string {
  return `/api/v1/${kind}/${encodeURIComponent(uuid)}/`;
}

function jsonOf({ body, reply }: Answer): unknown {
  return body.json(reply);
}

/** Accepts a 2xx with an empty body or any JSON, for calls that do not affect a job. */
function expectSuccess(answer: Answer): void {
  expectOk(answer.reply);
  if (!isEmpty(answer.reply)) jsonOf(answer);
}

function readInstance(answer: Answer): Instance {
  return readResource(instanceSchema, jsonOf(answer), 'instance');
}

function readOpenJob(item: ProjectedItem): ReturnType<typeof readItem<JobWithArguments>> {
  return readItem(jobWithArgumentsSchema(item.kind === 'item' ? item.omitted : new Map()), item);
}

function invalidOf({ items, more }: InvalidItems): Pick<Listed<unknown>, 'invalid' | 'moreInvalid'> {
  return { invalid: items, moreInvalid: more };
}

function codeTooLong(uuid: string): AgentError {
  return new AgentError(
    'FUNCTION_INVALID',
    `the code of function ${uuid} has more than ${LIMITS.broker.code.max} bytes`,
  );
}

function isHeld(job: BrokerJob, instance: string): boolean {
  return job.status === JOB_STATUS.IN_PROGRESS && job.instance === instance;
}

function reportAnswer(answer: Answer): ReportAnswer {
  const { reply } = answer;
  if (isFinal(reply)) return { kind: isGone(reply) ? 'gone' : 'not-ours' };
  if (isNoContent(reply)) return { kind: 'taken', cost: undefined };
  expectBroker(reply);
  return { kind: 'taken', cost: costSchema.parse(jsonOf(answer)) };
}
