import { AgentError } from '../domain/errors.ts';
import { escapeControls } from '../lib/escape.ts';
import { ProgramError, type ProgramResult, runProgram } from '../lib/process.ts';
import { smiFailure } from './smi-failure.ts';

export type NvidiaSmiOptions = {
  /** A path, or a name on PATH. */
  readonly program: string;
  /** The deadline of one call, in milliseconds. */
  readonly deadlineMs?: number;
  /** For tests: kills a process. An nvidia-smi that hangs in the driver can survive SIGKILL. */
  readonly kill?: (pid: number) => void;
};

/**
 * Runs nvidia-smi: one process at a time, each under a deadline, without waiting for the exit of a hung one. Starts no
 * other while a hung one exists, because on a sick GPU they would pile up.
 */
export class NvidiaSmi {
  readonly #program: string;
  readonly #options: { readonly deadlineMs: number; readonly kill?: (pid: number) => void };
  #turn: Promise<unknown> = Promise.resolve();
  /** The process id of a killed nvidia-smi that still runs. */
  #hung: number | undefined;

  constructor({ deadlineMs = 15_000, kill, program }: NvidiaSmiOptions) {
    this.#program = program;
    this.#options = { deadlineMs, ...(kill !== undefined && { kill }) };
  }

  /**
   * The output, also for the exit codes 14 and 15, with which nvidia-smi warns of one GPU and shows the others. Throws
   * GPU_PROBE_FAILED, GPU_PROBE_HUNG or GPU_NONE.
   */
  run(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    const turn = this.#turn.then(() => this.#runNow(args, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #runNow(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    if (this.#hung !== undefined)
      throw this.#hungError(`still runs after it was killed (process ${this.#hung})`);
    const onKilled = (pid: number, gone: Promise<void>): void => {
      this.#hung = pid;
      void gone.then(() => (this.#hung = undefined));
    };
    const result = await runProgram(this.#program, args, { ...this.#options, signal, onKilled }).catch(
      (thrown: unknown) => {
        throw signal.aborted ? probeFailed('the GPU probe was cancelled') : this.#explain(thrown);
      },
    );
    const failure = smiFailure(result, this.#program);
    if (failure !== undefined) throw failure;
    return result;
  }

  #explain(thrown: unknown): unknown {
    if (!(thrown instanceof ProgramError)) return thrown;
    if (thrown.reason === 'late') return this.#hungError(thrown.message);
    return probeFailed(`${escapeControls(this.#program)} ${thrown.message}`);
  }

  #hungError(what: string): AgentError {
    return new AgentError('GPU_PROBE_HUNG', `${escapeControls(this.#program)} ${what}`, {
      hint: 'look for a sick GPU in the kernel’s log (journalctl -k | grep Xid), then reboot',
    });
  }
}

function probeFailed(message: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', message);
}
