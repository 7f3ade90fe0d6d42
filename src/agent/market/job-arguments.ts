import type { BrokerJob, JobWithArguments } from '../../domain/job.ts';
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

/** The open jobs whose arguments can be read, without them because they come again with the claim; and the others. */
export function* readArguments(
  jobs: readonly JobWithArguments[],
  runtime: string,
): Steps<{ readonly readable: readonly BrokerJob[]; readonly unreadable: readonly InvalidItem[] }> {
  const readable: BrokerJob[] = [];
  const unreadable: InvalidItem[] = [];
  for (const job of jobs) {
    const reason = unreadableArguments(job, runtime);
    if (reason === undefined) {
      const { arguments: _, ...rest } = job;
      readable.push(rest);
    } else unreadable.push({ uuid: job.uuid, reason });
    yield 'long';
  }
  return { readable, unreadable };
}
