import { z } from 'zod';
import { type BrokerJob, JOB_STATUS, type Report } from '../domain/job.ts';
import type { InvalidItem, Listed } from '../domain/ports/broker.ts';
import { caption, faults, id, money } from './fields.ts';

const seconds = z.number().positive();

/** A job, as the domain has it. What is only shown or only helps is left out where it cannot be read. */
export const jobSchema = z
  .object({
    uuid: id(),
    run: id(),
    function_name: caption('n/a'),
    arguments: z.string(),
    status: z.int(),
    instance: id().nullish(),
    lease_seconds: seconds.optional().catch(undefined),
    cost: money().optional().catch(undefined),
  })
  // A broker may leave out what is null; whose a job is that runs is no such thing.
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

/** What can be read of an item that is no job. */
const garbledSchema = z
  .object({
    uuid: id().optional().catch(undefined),
    run: id().optional().catch(undefined),
    status: z.int().optional().catch(undefined),
    instance: id().nullish().catch(undefined),
  })
  .catch({ uuid: undefined, run: undefined, status: undefined, instance: undefined });

/** What all jobs of a list have in common that was asked for. */
type Wanted = {
  readonly [Name in 'run' | 'status' | 'instance']?: BrokerJob[Name] | undefined;
};

/**
 * The jobs of a list that are as `wanted`: a broker may ignore filters. An item that cannot be read, and does not say
 * that it is another, is told among the invalid: no job is stopped because an answer was garbled. A job that comes
 * twice, since pages shift while they are fetched, counts once.
 */
export function readJobs(list: readonly unknown[], wanted: Wanted): Listed<BrokerJob> {
  const jobs = new Map<string, BrokerJob>();
  const invalid: InvalidItem[] = [];
  for (const item of list) {
    const parsed = jobSchema.safeParse(item);
    if (!parsed.success) {
      const said = garbledSchema.parse(item);
      if (isAs(wanted, said)) invalid.push({ uuid: said.uuid, reason: faults(parsed.error) });
    } else if (isAs(wanted, parsed.data)) jobs.set(parsed.data.uuid, parsed.data);
  }
  return { items: [...jobs.values()], invalid };
}

/** Whether a job is as wanted, as far as it says. */
function isAs(wanted: Wanted, said: Wanted): boolean {
  return (['run', 'status', 'instance'] as const).every(
    (name) => wanted[name] === undefined || said[name] === undefined || said[name] === wanted[name],
  );
}

/** What a report's answer says about money: dollars, or undefined where it says nothing. */
export const costSchema = z
  .object({ cost: money().optional().catch(undefined) })
  .transform(({ cost }) => cost)
  .catch(undefined);

/** The body of a report. Databases have no place for U+0000, and it says nothing in an output: it becomes U+FFFD. */
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
