import { z } from 'zod';
import { AgentError } from '../../domain/errors.ts';
import { isolationProblem, type ProbeTargets, targetsOf } from '../../domain/jobs-network.ts';
import {
  type InternalJobDeps,
  internalJobName,
  lastStderrLine,
  runInternalJob,
} from '../jobs/internal-job.ts';
import { ISOLATION_PROBE_CODE } from './isolation-probe-code.ts';

/** How long a target may take to answer; what our own rules refuse is refused in no time. */
const SILENCE_S = 3;
/**
 * How long all of it may take, once its container has begun: the silence, a slow start of an interpreter, a busy host.
 * Not more, since what runs is a stranger's image on a network that is not proved yet. Milliseconds.
 */
const DEADLINE_MS = 15_000;

/** An image that is here, and the platform's word for the language of its functions. */
export type ProbeImage = { readonly id: string; readonly runtime: string };

const FOUND = z.array(z.string());

/**
 * Tries a probeTargets from a container on the isolated network. Answers why that does not prove the isolation;
 * undefined: it does. The container is removed. Throws where the probe cannot be run.
 */
export async function runIsolationProbe(
  deps: InternalJobDeps,
  image: ProbeImage,
  probeTargets: ProbeTargets,
  signal: AbortSignal,
): Promise<string | undefined> {
  const targets = targetsOf(probeTargets).map(({ host, port }) => [host, port]);
  const end = await runInternalJob(
    deps,
    {
      name: internalJobName('probe', deps.random),
      code: ISOLATION_PROBE_CODE,
      parameters: `(${JSON.stringify(targets)}, ${SILENCE_S})`,
      image,
      gpu: null,
      network: 'isolated',
      deadlineMs: DEADLINE_MS,
    },
    signal,
  );
  if (end === 'late') throw failed(`was not done in ${DEADLINE_MS / 1_000} s`);
  const { exit, output } = end;
  if (exit.code !== 0 || output.result === undefined)
    throw failed(`ended with exit code ${exit.code}${lastStderrLine(output)}`);
  return isolationProblem(probeTargets, readFound(output.result));
}

function readFound(result: string): readonly string[] {
  try {
    return FOUND.parse(JSON.parse(result));
  } catch {
    // An image may make of our function what it likes; then the probe said nothing.
    return [];
  }
}

const failed = (how: string): AgentError => new AgentError('RUNTIME_FAILED', `the probe ${how}`);
