import { AgentError } from '../../domain/errors.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import { type Language, languageOf } from '../../domain/language.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles, Output } from '../../domain/ports/job-files.ts';
import type { Exit, JobResources, Runtime } from '../../domain/ports/runtime.ts';
import { anySignal, unlessAborted, waitAtMost, within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { retryEngine } from '../retry/retry-engine.ts';
import { OutputCapture } from './output-capture.ts';

/** How long an internal job may take once it runs, unless it says otherwise. */
export const INTERNAL_JOB_TIMEOUT_MS = 120_000;

/**
 * How long the outcome waits for the removal, in milliseconds; what is left then is removed in the background. The image of a
 * probe may have left what Docker cannot remove, and all jobs wait for the probe.
 */
export const INTERNAL_CLEAR_MS = 10_000;

/** What internal jobs are run with. */
export type InternalJobDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What a container that is created now may use. */
  readonly resources: () => JobResources;
  /** Aborted when the daemon ends: until then removals are repeated. */
  readonly detach: AbortSignal;
};

/** A job of the agent itself, such as a canary: never claimed, never reported. */
export type InternalJob = {
  /** As of `internalJobName`; names its container and files. */
  readonly name: string;
  readonly code: Readonly<Record<Language, string>>;
  /** A Python tuple, as the broker has parameters. */
  readonly parameters: string;
  /** `id` at the engine; `runtime` as the broker names the language. */
  readonly image: { readonly id: string; readonly runtime: string };
  readonly gpu: string | null;
  readonly network?: JobNetwork;
  /** How long it may take once it runs, in milliseconds; INTERNAL_JOB_TIMEOUT_MS. */
  readonly deadlineMs?: number;
};

/** How it ended; `late`: not before its deadline. */
export type InternalJobResult = 'late' | { readonly exit: Exit; readonly output: Output };

/**
 * A name for an internal job. The journal has no job of this name, so that recovery and garbage collection remove
 * what a crash leaves of it.
 */
export function internalJobName(kind: string, random: () => number): string {
  return `${kind}-${Math.floor(random() * 2 ** 48).toString(16)}`;
}

/**
 * Runs an internal job with the loader, files and container of any job, and removes what it leaves. Throws where it
 * cannot be run, and where the signal aborts first.
 */
export function runInternalJob(
  deps: InternalJobDeps,
  internal: InternalJob,
  signal: AbortSignal,
): Promise<InternalJobResult> {
  const use = (container: string): Promise<InternalJobResult> => endOf(deps, internal, container, signal);
  return withInternalContainer(deps, internal, signal, use, INTERNAL_CLEAR_MS);
}

/**
 * Creates and starts the container of an internal job, passes its id to `use`, and removes what is left after that, for
 * as long as `clearMs`. Throws where it cannot be started, where the signal aborts first, and what `use` throws.
 */
export async function withInternalContainer<T>(
  deps: InternalJobDeps,
  internal: InternalJob,
  signal: AbortSignal,
  use: (container: string) => Promise<T>,
  clearMs: number,
): Promise<T> {
  const { files, runtime } = deps;
  const [kind = ''] = internal.name.split('-');
  const code = internal.code[languageOf(internal.image.runtime) ?? 'python'];
  const { id, runtime: language } = internal.image;
  const fn = { uuid: kind, name: kind, imageUuid: kind, registryPath: id, runtime: language };
  const made = { asked: false, container: undefined as string | undefined };
  try {
    const laid = await files.layOut(internal.name, { fn, code, args: internal.parameters });
    signal.throwIfAborted();
    made.asked = true;
    const plan = {
      job: internal.name,
      run: kind,
      offerKey: kind,
      image: internal.image.id,
      inputDir: laid.inputDir,
      env: laid.env,
      gpu: internal.gpu,
      resources: deps.resources(),
      ...(internal.network !== undefined && { network: internal.network }),
    };
    made.container = await unlessAborted(runtime.create(plan), signal);
    await unlessAborted(runtime.start(made.container), signal);
    return await use(made.container);
  } finally {
    const cleared = clear(deps, internal.name, made);
    await waitAtMost(clearMs, cleared, deps.detach);
  }
}

async function endOf(
  deps: InternalJobDeps,
  { deadlineMs = INTERNAL_JOB_TIMEOUT_MS, name }: InternalJob,
  container: string,
  signal: AbortSignal,
): Promise<InternalJobResult> {
  const late = within(deadlineMs);
  const ended = anySignal(signal, late);
  const capture = new OutputCapture(deps, { job: name, container }, ended);
  try {
    const exit = await deps.runtime.wait(container, ended);
    const output = await capture.output(exit);
    if (output !== undefined && !ended.aborted) return { exit, output };
  } catch (thrown) {
    if (!late.aborted) throw thrown;
  }
  if (!late.aborted)
    throw new AgentError('RUNTIME_FAILED', signal.aborted ? 'the agent ends' : 'its output cannot be read');
  return 'late';
}

async function clear(
  deps: InternalJobDeps,
  name: string,
  made: { readonly asked: boolean; readonly container: string | undefined },
): Promise<void> {
  const { detach, files, runtime } = deps;
  const options = { ...deps, signal: detach };
  await retryEngine(options, async () => {
    // The engine may have created the container although its answer was lost.
    const lost = made.asked && made.container === undefined;
    const container = lost ? (await runtime.list()).find(({ job }) => job === name)?.id : made.container;
    if (container !== undefined) await runtime.remove(container);
  });
  await retryEngine(options, () => files.remove(name));
}

/** `: ` and the last line of stderr, or nothing where that is empty. */
export function lastStderrLine({ stderr }: Output): string {
  const last = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return last === '' ? '' : `: ${last}`;
}
