import { AgentError } from '../domain/errors.ts';
import { escapeControls } from '../lib/escape.ts';
import { ProgramError, type ProgramResult, runProgram } from '../lib/process.ts';
import { smiFailure } from './smi-failure.ts';

export type NvidiaSmiOptions = {
  /** A path, or a name to be found on PATH. */
  readonly program: string;
  /** How long nvidia-smi may take, in milliseconds. */
  readonly deadlineMs?: number;
  /** Kills a process by its id. An nvidia-smi that hangs in the driver is known to survive it. */
  readonly kill?: (pid: number) => void;
};

/**
 * Runs nvidia-smi: one at a time, never for longer than the deadline, without waiting for the exit of one that hangs.
 * No other is started while a hung one is still there: on a sick GPU they would pile up.
 */
export class NvidiaSmi {
  readonly #program: string;
  readonly #options: { readonly deadlineMs: number; readonly kill?: (pid: number) => void };
  #turn: Promise<unknown> = Promise.resolve();
  /** The process id of one that was killed and is still there. */
  #hung: number | undefined;

  constructor({ deadlineMs = 15_000, kill, program }: NvidiaSmiOptions) {
    this.#program = program;
    this.#options = { deadlineMs, ...(kill !== undefined && { kill }) };
  }

  /**
   * What nvidia-smi prints. Also where it warns of one GPU and shows the others (exit codes 14 and 15); otherwise throws
   * GPU_PROBE_FAILED, GPU_PROBE_HUNG or GPU_NONE.
   */
  run(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    const turn = this.#turn.then(() => this.#runNow(args, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #runNow(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    if (this.#hung !== undefined)
      throw this.#hungError(`is still there (process ${this.#hung}) after it was killed`);
    const onKilled = (pid: number, gone: Promise<void>): void => {
      this.#hung = pid;
      void gone.then(() => (this.#hung = undefined));
    };
    const result = await runProgram(this.#program, args, { ...this.#options, signal, onKilled }).catch(
      (thrown: unknown) => {
        throw signal.aborted ? probeFailed('the probe of the GPUs was called off') : this.#explain(thrown);
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
      hint: 'a GPU may be sick: see the kernel’s log for Xid lines (journalctl -k | grep Xid); a reboot may help',
    });
  }
}

function probeFailed(message: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', message);
}
