import { AgentError, asAgentError } from '../../domain/errors.ts';
import { languageOf } from '../../domain/language.ts';
import type { Exit, JobFiles, Output, ReadyImage, Runtime } from '../../domain/ports.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import { persist } from '../persist.ts';
import { CANARY_CODE } from './canary-code.ts';

/** How long a canary may take once it runs. */
const DEADLINE_MS = 60_000;
const LABEL = 'canary';

/** An image that jobs use here, and the platform's word for its language. */
export type CanaryImage = { readonly registryPath: string; readonly runtime: string };

/** What a canary stands on. */
export type CanaryDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly random: () => number;
  readonly log: Log;
  /** Aborted when the daemon ends. */
  readonly detach: AbortSignal;
};

/**
 * A name for a canary's container and files. There is no job of this name in the journal, so that whatever a crash
 * leaves of a canary is removed as nobody's.
 */
export function canaryName(random: () => number): string {
  return `${LABEL}-${Math.floor(random() * 2 ** 48).toString(16)}`;
}

/** Why a canary did not pass; `engineAway`: it says nothing of the GPU, since no container can be run at all now. */
export type CanaryFailure = { readonly why: string; readonly engineAway: boolean };

/** Whether this is the name of a canary and of no job. */
export function isCanary(name: string): boolean {
  return name.startsWith(`${LABEL}-`);
}

/**
 * Runs a function of our own on a GPU as any job is run, with the same loader, files and container; it is never
 * reported. Answers why it did not pass; undefined: it passed. Its container is always removed. Never throws.
 */
export async function runCanary(
  deps: CanaryDeps,
  where: { readonly name: string; readonly gpu: string; readonly image: CanaryImage },
  signal: AbortSignal,
): Promise<CanaryFailure | undefined> {
  const { files, runtime } = deps;
  const made = { asked: false, container: undefined as string | undefined };
  try {
    const fn = functionFor(where.image);
    const image = await readyImage(runtime, where.image.registryPath, signal);
    const laid = await files.layOut(where.name, fn, '()');
    made.asked = true;
    made.container = await runtime.create({
      job: where.name,
      run: LABEL,
      offerKey: LABEL,
      image: image.id,
      inputDir: laid.inputDir,
      env: laid.env,
      gpu: where.gpu,
    });
    await runtime.start(made.container);
    const why = await verdict(deps, where.name, made.container, signal);
    return why === undefined ? undefined : { why, engineAway: false };
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    return { why: `it could not be run: ${code}: ${message}`, engineAway: code === 'RUNTIME_UNAVAILABLE' };
  } finally {
    await removeAll(deps, where.name, made);
  }
}

function functionFor(image: CanaryImage): FunctionSpec {
  const code = CANARY_CODE[languageOf(image.runtime) ?? 'python'];
  return { uuid: LABEL, name: LABEL, code, imageUuid: LABEL, ...image };
}

/** The image as it is here; where it has gone, it is fetched. */
async function readyImage(runtime: Runtime, ref: string, signal: AbortSignal): Promise<ReadyImage> {
  return (await runtime.images.find(ref)) ?? (await runtime.images.prepare(ref, signal));
}

/** Waits for its end and reads what it said. */
async function verdict(
  { files, runtime }: CanaryDeps,
  name: string,
  container: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const late = AbortSignal.timeout(DEADLINE_MS);
  const ended = AbortSignal.any([signal, late]);
  const collector = await files.output(name);
  try {
    const [exit] = await Promise.all([
      runtime.wait(container, ended),
      runtime.follow(container, collector.write, ended),
    ]);
    if (!ended.aborted) return complaint(exit, collector.end());
  } catch (thrown) {
    if (!late.aborted) throw thrown;
  }
  if (!late.aborted) throw new AgentError('RUNTIME_FAILED', 'the agent ends');
  return `it was not done in ${DEADLINE_MS / 1_000} s`;
}

function complaint({ code }: Exit, { result, stderr }: Output): string | undefined {
  if (code === 0 && result !== undefined) return undefined;
  const last = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return `exit code ${code}${last === '' ? '' : `: ${last}`}`;
}

async function removeAll(
  deps: CanaryDeps,
  name: string,
  made: { readonly asked: boolean; readonly container: string | undefined },
): Promise<void> {
  const { detach, files, runtime } = deps;
  const how = { ...deps, signal: detach, again: ({ code }: AgentError) => code !== 'CONTAINER_GONE' };
  await persist(how, async () => {
    // The engine may have made a container although its answer was lost.
    const lost = made.asked && made.container === undefined;
    const container = lost ? (await runtime.list()).find(({ job }) => job === name)?.id : made.container;
    if (container !== undefined) await runtime.remove(container);
  });
  await persist(how, () => files.remove(name));
}
