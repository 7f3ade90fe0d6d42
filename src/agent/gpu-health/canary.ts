import { asAgentError } from '../../domain/errors.ts';
import type { ReadyImage, Runtime } from '../../domain/ports/runtime.ts';
import { engineNameOf, type ImageUses } from '../images/image-uses.ts';
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

/** An image of a job of this host; `runtime` as the broker names its language. */
export type CanaryImage = { readonly registryPath: string; readonly runtime: string };

export const canaryName = (random: () => number): string => internalJobName(KIND, random);

/** Whether this is a canary's name rather than a job's uuid. */
export function isCanary(name: string): boolean {
  return name.startsWith(`${KIND}-`);
}

/** Why a canary failed. `engineUnavailable`: no container can be run now, so this says nothing about the GPU. */
export type CanaryFailure = { readonly why: string; readonly engineUnavailable: boolean };

export type CanaryDeps = InternalJobDeps & {
  /** Which images are needed, and are not removed meanwhile. */
  readonly uses: ImageUses;
};

/**
 * Runs a short internal job on a GPU. Answers why it failed; undefined: it passed. Never throws.
 */
export async function runCanary(
  deps: CanaryDeps,
  where: { readonly name: string; readonly gpu: string; readonly image: CanaryImage },
  signal: AbortSignal,
): Promise<CanaryFailure | undefined> {
  const { gpu, image, name } = where;
  const names = [engineNameOf(image.registryPath)];
  using _held = deps.uses.hold(names);
  try {
    await deps.uses.removed(names, signal);
    const { id } = await readyImage(deps.runtime, image.registryPath, signal);
    const job = { name, gpu, code: CANARY_CODE, parameters: '()', image: { id, runtime: image.runtime } };
    const why = failureOf(await runInternalJob(deps, job, signal));
    return why === undefined ? undefined : { why, engineUnavailable: false };
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    return {
      why: `it could not be run: ${code}: ${message}`,
      engineUnavailable: code === 'RUNTIME_UNAVAILABLE',
    };
  }
}

/** The image, pulled where it has been removed. */
async function readyImage(runtime: Runtime, ref: string, signal: AbortSignal): Promise<ReadyImage> {
  return (await runtime.images.find(ref)) ?? (await runtime.images.prepare(ref, signal));
}

function failureOf(end: InternalJobResult): string | undefined {
  if (end === 'late') return `it was not done in ${INTERNAL_JOB_TIMEOUT_MS / 1_000} s`;
  const { exit, output } = end;
  if (exit.code === 0 && output.result !== undefined) return undefined;
  return `exit code ${exit.code}${lastStderrLine(output)}`;
}
