import { z } from 'zod';
import { type BrokerJob, JOB_STATUS, type Report } from '../domain/job.ts';
import { caption, id, money } from './fields.ts';

const seconds = z.number().positive();

/** A job, as the domain has it. What is only shown or only helps is left out where it cannot be read. */
export const jobSchema = z
  .object({
    uuid: id(),
    run: id(),
    function_name: caption('n/a'),
    arguments: z.string(),
    status: z.int(),
    instance: id().nullable(),
    lease_seconds: seconds.optional().catch(undefined),
    cost: money().optional().catch(undefined),
  })
  .transform(
    (job): BrokerJob => ({
      uuid: job.uuid,
      run: job.run,
      functionName: job.function_name,
      arguments: job.arguments,
      status: job.status,
      instance: job.instance,
      leaseSeconds: job.lease_seconds,
      cost: job.cost,
    }),
  );

/**
 * A job in the list of those that `instance` holds. What cannot be read of it but its id is taken as held: no job
 * is ever stopped because an answer was garbled.
 */
export const heldJobSchema = (instance: string) =>
  z.union([
    jobSchema,
    z.object({ uuid: id() }).transform(
      ({ uuid }): BrokerJob => ({
        uuid,
        run: '',
        functionName: 'n/a',
        arguments: '',
        status: JOB_STATUS.IN_PROGRESS,
        instance,
        leaseSeconds: undefined,
        cost: undefined,
      }),
    ),
  ]);

/** What a report's answer says about money: dollars, or undefined where it says nothing. */
export const costSchema = z
  .object({ cost: money().optional().catch(undefined) })
  .transform(({ cost }) => cost)
  .catch(undefined);

/** The body of a report. */
export function reportBody(instance: string, report: Report): Readonly<Record<string, unknown>> {
  return {
    status: report.status,
    instance,
    build_logs: report.buildLogs,
    stdout: report.stdout,
    stderr: report.stderr,
    result: report.result,
  };
}
