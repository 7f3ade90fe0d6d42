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

/** How long a target may take to answer. Our own rules refuse at once. */
const SILENCE_S = 3;
/** Enough for the silence and a slow engine, and no more: a stranger's image runs on a network that is not verified yet. */
const DEADLINE_MS = 30_000;

/** An image on this host, and the runtime of its functions as the broker names it. */
export type ProbeImage = { readonly id: string; readonly runtime: string };

const FOUND = z.array(z.string());

/**
 * Probes the targets from a container on the isolated network. Returns why that does not verify the isolation; undefined:
 * it does. Throws where the probe cannot be run.
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
    // An image can falsify the probe; then there is no result.
    return [];
  }
}

const failed = (how: string): AgentError => new AgentError('RUNTIME_FAILED', `the probe ${how}`);
