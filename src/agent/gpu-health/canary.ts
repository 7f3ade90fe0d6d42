import { asAgentError } from '../../domain/errors.ts';
import type { ReadyImage, Runtime } from '../../domain/ports/runtime.ts';
import {
  INTERNAL_JOB_TIMEOUT_MS,
  type InternalJobDeps,
  type InternalJobResult,
  internalJobName,
  lastStderrLine,
  runInternalJob,
} from '../jobs/internal-job.ts';
import { CANARY_CODE } from './canary-code.ts';

const KIND = 'canary';

/** An image that jobs use here, and the platform's word for its language. */
export type CanaryImage = { readonly registryPath: string; readonly runtime: string };

/** A name for a canary. */
export const canaryName = (random: () => number): string => internalJobName(KIND, random);

/** Whether this is the name of a canary and of no job. */
export function isCanary(name: string): boolean {
  return name.startsWith(`${KIND}-`);
}

/** Why a canary did not pass; `engineAway`: it says nothing of the GPU, since no container can be run at all now. */
export type CanaryFailure = { readonly why: string; readonly engineAway: boolean };

/**
 * Runs a function of our own on a GPU. Answers why it did not pass; undefined: it passed. Its container is always
 * removed. Never throws.
 */
export async function runCanary(
  deps: InternalJobDeps,
  where: { readonly name: string; readonly gpu: string; readonly image: CanaryImage },
  signal: AbortSignal,
): Promise<CanaryFailure | undefined> {
  const { gpu, image, name } = where;
  try {
    const { id } = await readyImage(deps.runtime, image.registryPath, signal);
    const own = { name, gpu, code: CANARY_CODE, parameters: '()', image: { id, runtime: image.runtime } };
    const why = complaint(await runInternalJob(deps, own, signal));
    return why === undefined ? undefined : { why, engineAway: false };
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    return { why: `it could not be run: ${code}: ${message}`, engineAway: code === 'RUNTIME_UNAVAILABLE' };
  }
}

/** The image as it is here; where it has gone, it is fetched. */
async function readyImage(runtime: Runtime, ref: string, signal: AbortSignal): Promise<ReadyImage> {
  return (await runtime.images.find(ref)) ?? (await runtime.images.prepare(ref, signal));
}

function complaint(end: InternalJobResult): string | undefined {
  if (end === 'late') return `it was not done in ${INTERNAL_JOB_TIMEOUT_MS / 1_000} s`;
  const { exit, output } = end;
  if (exit.code === 0 && output.result !== undefined) return undefined;
  return `exit code ${exit.code}${lastStderrLine(output)}`;
}
