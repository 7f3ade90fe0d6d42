import { AgentError } from '../../domain/errors.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import { type Language, languageOf } from '../../domain/language.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles, Output } from '../../domain/ports/job-files.ts';
import type { Exit, Runtime } from '../../domain/ports/runtime.ts';
import { anySignal, within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { retryEngine } from '../retry/retry-engine.ts';
import { OutputCapture } from './output-capture.ts';

/** How long a function of our own may take once it runs, unless it says otherwise. */
export const INTERNAL_JOB_TIMEOUT_MS = 60_000;

/** What functions of our own stand on. */
export type InternalJobDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Until then is tried to remove what a function leaves. */
  readonly detach: AbortSignal;
};

/** A function of our own, and what its container gets. */
export type InternalJob = {
  /** Of its container and files; see `internalJobName`. */
  readonly name: string;
  readonly code: Readonly<Record<Language, string>>;
  /** As the broker has parameters: a tuple of Python. */
  readonly parameters: string;
  /** By its id at the engine, and the platform's word for its language. */
  readonly image: { readonly id: string; readonly runtime: string };
  readonly gpu: string | null;
  readonly network?: JobNetwork;
  /** How long it may take once it runs, in milliseconds; INTERNAL_JOB_TIMEOUT_MS. */
  readonly deadlineMs?: number;
};

/** How it ended; `late`: not in time. */
export type InternalJobResult = 'late' | { readonly exit: Exit; readonly output: Output };

/**
 * A name for a function of our own. There is no job of this name in the journal, so that whatever a crash leaves of it
 * is removed as nobody's.
 */
export function internalJobName(kind: string, random: () => number): string {
  return `${kind}-${Math.floor(random() * 2 ** 48).toString(16)}`;
}

/**
 * Runs a function of our own as any job is run, with the same loader, files and container; it is never reported. What
 * it leaves is removed. Throws where it cannot be run, and where the signal aborts first.
 */
export async function runInternalJob(
  deps: InternalJobDeps,
  own: InternalJob,
  signal: AbortSignal,
): Promise<InternalJobResult> {
  const { files, runtime } = deps;
  const [kind = ''] = own.name.split('-');
  const code = own.code[languageOf(own.image.runtime) ?? 'python'];
  const fn = { uuid: kind, name: kind, code, imageUuid: kind, registryPath: own.image.id };
  const made = { asked: false, container: undefined as string | undefined };
  try {
    const laid = await files.layOut(own.name, { ...fn, runtime: own.image.runtime }, own.parameters);
    made.asked = true;
    made.container = await runtime.create({
      job: own.name,
      run: kind,
      offerKey: kind,
      image: own.image.id,
      inputDir: laid.inputDir,
      env: laid.env,
      gpu: own.gpu,
      ...(own.network !== undefined && { network: own.network }),
    });
    await runtime.start(made.container);
    return await endOf(deps, own, made.container, signal);
  } finally {
    await clear(deps, own.name, made);
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
  const listening = new OutputCapture(deps, { job: name, container }, ended);
  try {
    const exit = await deps.runtime.wait(container, ended);
    const output = await listening.output(exit);
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
    // The engine may have made a container although its answer was lost.
    const lost = made.asked && made.container === undefined;
    const container = lost ? (await runtime.list()).find(({ job }) => job === name)?.id : made.container;
    if (container !== undefined) await runtime.remove(container);
  });
  await retryEngine(options, () => files.remove(name));
}

/** The last line of what it complained of, as the end of a sentence; empty: it said nothing. */
export function lastStderrLine({ stderr }: Output): string {
  const last = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return last === '' ? '' : `: ${last}`;
}
