import type { JobOutcome } from '../admission/engine-breaker.ts';
import type { JobEnd } from '../jobs/job-runner.ts';

/**
 * What a job's end says of the engine: nothing where the job may have chosen it. A report without a duration is of a job
 * that was never started.
 */
export function outcomeOf({ hostFault, result }: JobEnd): JobOutcome {
  if (hostFault && result.kind === 'released' && result.cause === 'killed')
    return { kind: 'killed', why: result.why };
  if (hostFault && result.kind === 'released' && result.cause !== 'other')
    return { kind: 'failed', code: result.code, why: result.why };
  if (hostFault && result.kind === 'aborted')
    return { kind: 'failed', code: undefined, why: 'it was aborted' };
  return { kind: result.kind === 'reported' && result.durationMs > 0 ? 'well' : 'unknown' };
}
