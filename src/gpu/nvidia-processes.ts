import { AgentError } from '../domain/errors.ts';
import type { ProcessRound } from '../domain/foreign-use.ts';
import type { Platform } from '../domain/platform.ts';
import type { GpuProcesses } from '../domain/ports/gpu-processes.ts';
import { withDeadline } from '../lib/deadline.ts';
import type { ProgramResult } from '../lib/process.ts';
import { sleep } from '../lib/sleep.ts';
import { LIMITS } from '../limits.ts';
import { parseProcesses } from './csv.ts';
import { COMPUTE_QUERY } from './fields.ts';
import type { NvidiaSmi } from './nvidia-smi.ts';
import { type GpuIndexes, PmonReader } from './pmon.ts';
import { smiFailure } from './smi-failure.ts';

/** Both the shares of the GPU and the memory. */
const FIGURES = ['-s', 'um'];

/** The exit codes of a driver that does not know an argument, or cannot do it on this GPU. */
const CANNOT: ReadonlySet<ProgramResult['code']> = new Set([2, 3]);

/** All in milliseconds. */
const TIMING = {
  /** Between two rounds of single calls. */
  intervalMs: 1_000,
  /** A round is over when no row has come for so long. */
  pauseMs: 50,
  /** One that prints nothing for so long does not print as it goes, or hangs. */
  silentMs: 6_000,
};

export type NvidiaProcessesDeps = {
  readonly smi: Pick<NvidiaSmi, 'run' | 'follow'>;
  /** For messages. */
  readonly program: string;
  readonly platform: Platform;
  /** The deadline of one call of nvidia-smi, in milliseconds: it may take so long to the first row. */
  readonly deadlineMs: number;
  /** For tests. */
  readonly timing?: Partial<typeof TIMING>;
};

/**
 * Follows the processes on the GPUs by one long-lived `nvidia-smi pmon`, which costs far less than a call a second. Where
 * that one shows nothing it makes those calls.
 */
export class NvidiaProcesses implements GpuProcesses {
  readonly #deps: NvidiaProcessesDeps;
  readonly #timing: typeof TIMING;

  constructor(deps: NvidiaProcessesDeps) {
    this.#deps = deps;
    this.#timing = { ...TIMING, ...deps.timing };
  }

  async follow(gpus: GpuIndexes, onRound: (round: ProcessRound) => void, signal: AbortSignal): Promise<void> {
    try {
      if (!(await this.#stream(gpus, onRound, signal))) await this.#callAgain(gpus, onRound, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }

  /** Answers whether there was a round; then it has ended by itself. Throws where it failed after some. */
  async #stream(
    gpus: GpuIndexes,
    onRound: (round: ProcessRound) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { deadlineMs, smi } = this.#deps;
    const { pauseMs, silentMs } = this.#timing;
    const reader = new PmonReader(gpus);
    const other: string[] = [];
    let hasRound = false;
    let pause: NodeJS.Timeout | undefined;
    const pass = (round: ProcessRound | undefined): void => {
      if (round === undefined) return;
      hasRound = true;
      onRound(round);
    };
    const limit = { ms: Math.max(deadlineMs, silentMs), error: hung, signal };
    try {
      const code = await withDeadline(limit, (either, extend) =>
        smi.follow(['pmon', ...FIGURES, '-d', '1', ...only(gpus)], {
          signal: either,
          onLines: (lines) => {
            if (lines.length === 0) return;
            extend(silentMs);
            clearTimeout(pause);
            for (const line of lines) reader.take(line);
            pause = setTimeout(() => pass(reader.flush()), pauseMs);
          },
          onStderr: (text) => note(other, text),
        }),
      );
      if (code === 0) pass(reader.flush());
      else pass(reader.breakOff());
      if (hasRound && code !== 0) throw this.#failure({ code, stdout: other.join('\n'), stderr: '' });
      return hasRound;
    } catch (thrown) {
      if (signal.aborted || hasRound) throw thrown;
      return false;
    } finally {
      clearTimeout(pause);
    }
  }

  /** One call after the other. Throws with the first that fails. */
  async #callAgain(
    gpus: GpuIndexes,
    onRound: (round: ProcessRound) => void,
    signal: AbortSignal,
  ): Promise<void> {
    do onRound((await this.read(gpus, signal)).round);
    while (await sleep(this.#timing.intervalMs, signal));
  }

  /**
   * One round by calls of their own, and whether it has the processes that only draw, which the driver cannot show of all
   * GPUs. Throws GPU_PROBE_FAILED, GPU_PROBE_HUNG.
   */
  async read(
    gpus: GpuIndexes,
    signal: AbortSignal,
  ): Promise<{ readonly round: ProcessRound; readonly hasGraphics: boolean }> {
    const { smi } = this.#deps;
    // A driver that cannot show memory may show shares all the same.
    for (const more of [[...FIGURES, ...only(gpus)], []]) {
      const result = await smi.run(['pmon', '-c', '1', ...more], signal);
      const reader = new PmonReader(gpus);
      for (const line of result.stdout.split(/\r?\n/)) reader.take(line);
      const round = reader.flush();
      if (result.code === 0 && round !== undefined) return { round, hasGraphics: true };
      if (!CANNOT.has(result.code)) throw this.#failure(result);
    }
    const computing = await smi.run(COMPUTE_QUERY, signal);
    if (computing.code !== 0) throw this.#failure(computing);
    const all = new Set(gpus.values());
    const processes = parseProcesses(computing.stdout)
      .filter(({ gpu }) => all.has(gpu))
      .map((process) => ({ ...process, type: 'C', name: 'a program', smPercent: undefined }));
    return { round: { processes, gpus: all }, hasGraphics: false };
  }

  #failure(result: Parameters<typeof smiFailure>[0]): AgentError {
    return smiFailure(result, this.#deps.program, this.#deps.platform);
  }
}

/** Without it, old drivers show the first four GPUs only. */
function only(gpus: GpuIndexes): readonly string[] {
  return gpus.size === 0 ? [] : ['-i', [...gpus.keys()].join(',')];
}

function note(kept: string[], text: string): void {
  if (kept.length < LIMITS.log.items.max) kept.push(text.slice(0, LIMITS.host.smiLine.max));
}

function hung(ms: number): AgentError {
  return new AgentError('GPU_PROBE_HUNG', `nvidia-smi pmon printed no row for ${ms / 1000} s`);
}
