import type { BrokerJob, JobArguments, JobWithArguments } from '../../domain/job.ts';
import type { InvalidItem } from '../../domain/ports/broker.ts';
import type { Steps } from '../../lib/slices.ts';
import { LIMITS } from '../../limits.ts';
import { parsePythonLiteral } from '../../python-literal/literal.ts';
import { LiteralError } from '../../python-literal/literal-error.ts';

/**
 * Why an open job's arguments cannot be read; undefined: they can, or only the function's runtime can tell. That is so of
 * long ones, which are not read before the claim, and of Python 2, which has literals of its own.
 */
export function unreadableArguments(job: JobWithArguments, runtime: string): string | undefined {
  const { arguments: args } = job;
  // Of long ones only the length in JSON is known, whose escapes may be longer than what they stand for.
  const { max } = LIMITS.broker.argumentsInJson;
  if (typeof args !== 'string')
    return args.bytes > max ? `arguments: more than ${max} bytes in JSON` : undefined;
  if (/^python2/i.test(runtime)) return undefined;
  try {
    parsePythonLiteral(args);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof LiteralError) return `arguments: ${thrown.message}`;
    throw thrown;
  }
}

/** An open job without its arguments, because they come again with the claim; in JSON, long ones have so many bytes. */
export type OpenJob = BrokerJob & { readonly argumentBytes: number };

/** How many bytes arguments have. */
export function bytesOf(args: JobArguments): number {
  return typeof args === 'string' ? Buffer.byteLength(args) : args.bytes;
}

/** The open jobs whose arguments can be read, and the others. */
export function* readArguments(
  jobs: readonly JobWithArguments[],
  runtime: string,
): Steps<{ readonly readable: readonly OpenJob[]; readonly unreadable: readonly InvalidItem[] }> {
  const readable: OpenJob[] = [];
  const unreadable: InvalidItem[] = [];
  for (const job of jobs) {
    const reason = unreadableArguments(job, runtime);
    if (reason === undefined) {
      const { arguments: args, ...rest } = job;
      readable.push({ ...rest, argumentBytes: bytesOf(args) });
    } else unreadable.push({ uuid: job.uuid, reason });
    yield 'long';
  }
  return { readable, unreadable };
}
