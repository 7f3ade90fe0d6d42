import { z } from 'zod';
import { type BrokerJob, JOB_STATUS, type Report } from '../domain/job.ts';
import type { InvalidItem, Listed } from '../domain/ports/broker.ts';
import { describeIssues, displayText, id, money } from './fields.ts';

const seconds = z.number().positive();

/** The wire format of a job. Invalid values of fields that the agent does not depend on are ignored. */
export const jobSchema = z
  .object({
    uuid: id(),
    run: id(),
    function_name: displayText('n/a'),
    arguments: z.string(),
    status: z.int(),
    instance: id().nullish(),
    lease_seconds: seconds.optional().catch(undefined),
    cost: money().optional().catch(undefined),
  })
  // A broker may omit fields that are null, but the instance of a job in progress is not null.
  .refine(({ instance, status }) => status !== JOB_STATUS.IN_PROGRESS || instance !== undefined, {
    path: ['instance'],
    message: 'missing',
  })
  .transform(
    (job): BrokerJob => ({
      uuid: job.uuid,
      run: job.run,
      functionName: job.function_name,
      arguments: job.arguments,
      status: job.status,
      instance: job.instance ?? null,
      leaseSeconds: job.lease_seconds,
      cost: job.cost,
    }),
  );

/** The readable fields of an invalid job. */
const partialSchema = z
  .object({
    uuid: id().optional().catch(undefined),
    run: id().optional().catch(undefined),
    status: z.int().optional().catch(undefined),
    instance: id().nullish().catch(undefined),
  })
  .catch({ uuid: undefined, run: undefined, status: undefined, instance: undefined });

/** The filter of a list of jobs. */
type Filter = {
  readonly [Name in 'run' | 'status' | 'instance']?: BrokerJob[Name] | undefined;
};

/**
 * The jobs of a list that match `filter`, because a broker may ignore filters. An invalid item that may match is returned as
 * invalid, so that no job is stopped because of it. A job that is listed twice, by shifting pages, counts once.
 */
export function readJobs(list: readonly unknown[], filter: Filter): Listed<BrokerJob> {
  const jobs = new Map<string, BrokerJob>();
  const invalid: InvalidItem[] = [];
  for (const item of list) {
    const parsed = jobSchema.safeParse(item);
    if (!parsed.success) {
      const partial = partialSchema.parse(item);
      if (mayMatch(filter, partial))
        invalid.push({ uuid: partial.uuid, reason: describeIssues(parsed.error) });
    } else if (mayMatch(filter, parsed.data)) jobs.set(parsed.data.uuid, parsed.data);
  }
  return { items: [...jobs.values()], invalid };
}

/** Whether no known field of a job contradicts the filter. */
function mayMatch(filter: Filter, job: Filter): boolean {
  return (['run', 'status', 'instance'] as const).every(
    (name) => filter[name] === undefined || job[name] === undefined || job[name] === filter[name],
  );
}

/** The cost in the answer to a report, in US dollars; undefined: none or not readable. */
export const costSchema = z
  .object({ cost: money().optional().catch(undefined) })
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
