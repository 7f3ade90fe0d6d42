import { AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import type { Output } from '../../domain/ports/job-files.ts';
import { anySignal, unlessAborted, within } from '../../lib/deadline.ts';
import { escapeControls } from '../../lib/escape.ts';
import {
  INTERNAL_CLEAR_MS,
  type InternalJobDeps,
  internalJobName,
  lastStderrLine,
  withInternalContainer,
} from './internal-job.ts';

const KIND = 'test';

/** How long a test container may take from its creation to its output: a dozen calls, at an engine that takes 20 s for each. */
const DEADLINE_MS = 300_000;
/**
 * How often one is tried where it failed by no fault of the engine. A GPU may be injected in several ways, and a failed
 * start makes the runtime choose the next. An owner may prune containers, also one that was just created or has ended.
 */
const TRIES: Partial<Record<ErrorCode, number>> = { GPU_INJECTION_FAILED: 3, CONTAINER_GONE: 10 };

export type TestContainerDeps = InternalJobDeps & {
  /** The network that jobs get where nothing is known of its isolation. */
  readonly network: JobNetwork;
  /** DEADLINE_MS, for callers with less time. */
  readonly deadlineMs?: number;
};

/**
 * Runs a container as jobs have it, with the agent's own image, on this GPU or on none: it copies a file of its input
 * directory to its output, which is compared, also as the engine's log has it. Answers whether there was one to run:
 * no runtime has containers, and no engine every architecture. Throws why no job could have run so.
 */
export async function runTestContainer(
  deps: TestContainerDeps,
  gpu: string | null,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(deps, gpu, signal);
    } catch (thrown) {
      if (attempt >= (TRIES[asAgentError(thrown).code] ?? 1) || signal.aborted) throw thrown;
    }
  }
}

async function runOnce(deps: TestContainerDeps, gpu: string | null, signal: AbortSignal): Promise<boolean> {
  const { deadlineMs = DEADLINE_MS, network, random, runtime } = deps;
  const late = within(deadlineMs);
  const ended = anySignal(signal, late);
  const text = `test container ${Math.floor(random() * 2 ** 48).toString(16)}`;
  const work = async (): Promise<boolean> => {
    const image = await runtime.testImage?.(ended);
    if (image === undefined) return false;
    const job = {
      name: internalJobName(KIND, random),
      code: { python: text, node: text },
      parameters: '()',
      image: { id: image, runtime: 'python3' },
      gpu,
      network,
    };
    const use = (container: string): Promise<void> => compare(deps, job.name, container, text, ended);
    await withInternalContainer(deps, job, ended, use, INTERNAL_CLEAR_MS);
    return true;
  };
  try {
    return await work();
  } catch (thrown) {
    if (late.aborted && !signal.aborted && !(thrown instanceof AgentError))
      throw new AgentError('RUNTIME_FAILED', `a test container did not end in ${deadlineMs / 1_000} s`, {
        hint: 'read Docker’s log (journalctl -u docker), and restart Docker',
        cause: thrown,
      });
    throw thrown;
  }
}

/** Throws where the container did not end well, or where its output is not this text. */
async function compare(
  { files, runtime }: TestContainerDeps,
  job: string,
  container: string,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const read = async (): Promise<Output> => {
    const collector = await files.output(job);
    await unlessAborted(runtime.follow(container, collector.write, signal), signal);
    return collector.end();
  };
  const [printed, exit] = await Promise.all([read(), unlessAborted(runtime.wait(container, signal), signal)]);
  if (exit.code !== 0) {
    const said = escapeControls(lastStderrLine(printed));
    const hint = exit.code === FILE_MISSING ? HINTS.file : HINTS.program;
    throw failed(`a test container ended with exit code ${exit.code}${said}`, hint);
  }
  if (printed.stdout !== text)
    throw failed('the output of a test container was not what it printed', HINTS.output);
  // The first stream is the attached one; what a restarted agent reads of a job is the log.
  if ((await read()).stdout !== text)
    throw failed('the engine did not keep the output of a test container', HINTS.output);
}

/** The exit code of its program where it cannot read the job's file or write it to its output; it has no other. */
const FILE_MISSING = 1;

const HINTS = {
  file: 'check that Docker sees the state directory (--state-dir) under the same path; where SELinux is on: sudo chcon -R -t container_file_t STATE_DIR',
  program:
    'see whether `docker run --rm --init` works with any image: reinstall docker-init (init-path in daemon.json) and runc',
  output: 'check that Docker can write to its own disk, and its log: journalctl -u docker',
} as const;

const failed = (why: string, hint: string): AgentError => new AgentError('RUNTIME_FAILED', why, { hint });
