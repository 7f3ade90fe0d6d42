import { z } from 'zod';
import { type BrokerJob, JOB_STATUS, type JobWithArguments, type Report } from '../domain/job.ts';
import { LIMITS } from '../limits.ts';
import { fieldOf, InvalidItems, id, idOf, money, ON_WIRE, type readItem } from './fields.ts';
import type { Fields, ProjectedItem } from './json-fields.ts';

const seconds = z.number().positive();

export const JOB_FIELDS = {
  uuid: ON_WIRE.short,
  run: ON_WIRE.short,
  status: ON_WIRE.short,
  instance: ON_WIRE.short,
  lease_seconds: ON_WIRE.short,
  cost: ON_WIRE.short,
} as const satisfies Fields;

/** Of a job that was claimed. */
export const CLAIMED_FIELDS: Fields = {
  ...JOB_FIELDS,
  arguments: { keep: LIMITS.broker.argumentsInJson.max },
};

/** Of a job that may be claimed. */
export const OPEN_FIELDS: Fields = {
  ...JOB_FIELDS,
  arguments: { keep: LIMITS.broker.listedArguments.max },
};

const wireJob = z.object({
  uuid: id(),
  run: id(),
  status: z.int(),
  instance: id().nullish(),
  lease_seconds: seconds.optional().catch(undefined),
  cost: jobCost(),
});

const hasInstance = ({ instance, status }: z.output<typeof wireJob>): boolean =>
  status !== JOB_STATUS.IN_PROGRESS || instance !== undefined;

// A broker may omit fields that are null, but the instance of a job in progress is not null.
const INSTANCE_MISSING = { path: ['instance'], message: 'missing' };

function brokerJob(job: z.output<typeof wireJob>): BrokerJob {
  return {
    uuid: job.uuid,
    run: job.run,
    status: job.status,
    instance: job.instance ?? null,
    leaseSeconds: job.lease_seconds,
    cost: job.cost,
  };
}

/** The wire format of a job. Invalid values of fields that the agent does not depend on are ignored. */
export const jobSchema = wireJob.refine(hasInstance, INSTANCE_MISSING).transform(brokerJob);

const withArgumentsSchema = wireJob
  .extend({ arguments: z.string() })
  .refine(hasInstance, INSTANCE_MISSING)
  .transform((job): JobWithArguments => {
    const bytes = Buffer.byteLength(job.arguments);
    const isTooLong = bytes > LIMITS.broker.arguments.max;
    return { ...brokerJob(job), arguments: isTooLong ? { bytes } : job.arguments };
  });

/** The wire format of a job with its arguments, where those were not left out because of their length. */
export function jobWithArgumentsSchema(omitted: ReadonlyMap<string, number>): z.ZodType<JobWithArguments> {
  const bytes = omitted.get('arguments');
  if (bytes === undefined) return withArgumentsSchema;
  return jobSchema.transform((job): JobWithArguments => ({ ...job, arguments: { bytes } }));
}

/** The filter of a list of jobs. */
type Filter = {
  readonly [Name in 'run' | 'status' | 'instance']?: BrokerJob[Name] | undefined;
};

type ReadJob<Job> = ReturnType<typeof readItem<Job>>;

/**
 * The jobs of a list that match a filter, parsed one by one, because a broker may ignore filters and list all jobs that it
 * ever had. An invalid item that may match is kept as invalid, so that no job is stopped because of it.
 */
export class JobList<Job extends BrokerJob> {
  readonly invalid = new InvalidItems();
  readonly #filter: Filter;
  readonly #read: (item: ProjectedItem) => ReadJob<Job>;
  /** By uuid, because shifting pages may list a job twice. */
  readonly #jobs = new Map<string, Job>();

  constructor(filter: Filter, read: (item: ProjectedItem) => ReadJob<Job>) {
    this.#filter = filter;
    this.#read = read;
  }

  get jobs(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  /** Answers how many jobs there are. */
  add(item: ProjectedItem): number {
    if (item.kind === 'refused' || mayMatch(this.#filter, item.json)) {
      const read = this.#read(item);
      if ('invalid' in read) this.invalid.add(read.invalid);
      else this.#jobs.set(read.value.uuid, read.value);
    }
    return this.#jobs.size;
  }
}

/** Whether no known field of what should be a job contradicts the filter. Cheaper than its schema. */
function mayMatch(filter: Filter, json: unknown): boolean {
  const status = fieldOf(json, 'status');
  if (filter.status !== undefined && Number.isInteger(status) && status !== filter.status) return false;
  if (filter.run !== undefined && (idOf(json, 'run') ?? filter.run) !== filter.run) return false;
  if (filter.instance === undefined) return true;
  return (
    fieldOf(json, 'instance') !== null && (idOf(json, 'instance') ?? filter.instance) === filter.instance
  );
}

export const COST_FIELDS: Fields = { cost: ON_WIRE.short };

/** What a job has cost, in US dollars; undefined: none or not readable. */
export function jobCost() {
  return money()
    .refine((dollars) => dollars <= LIMITS.broker.cost.max)
    .optional()
    .catch(undefined);
}

/** The cost in the answer to a report, in US dollars; undefined: none or not readable. */
export const costSchema = z
  .object({ cost: jobCost() })
  .transform(({ cost }) => cost)
  .catch(undefined);

/** The body of a report. U+0000 in output becomes U+FFFD because databases cannot store it. */
export function reportBody(instance: string, report: Report) {
  return {
    status: report.status,
    instance,
    build_logs: storable(report.buildLogs),
    stdout: storable(report.stdout),
    stderr: storable(report.stderr),
    result: report.result,
  };
}

function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
