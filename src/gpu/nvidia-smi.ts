import { existsSync } from 'node:fs';
import { AgentError } from '../domain/errors.ts';
import { waitAtMost } from '../lib/deadline.ts';
import { escapeControls } from '../lib/escape.ts';
import {
  type FollowOptions,
  followProgram,
  PROGRAM_NOT_FOUND,
  ProgramError,
  type ProgramResult,
  runProgram,
} from '../lib/process.ts';

/** Where WSL2 keeps Nvidia's program; it is on the PATH of login shells only. */
const WSL_PROGRAM = '/usr/lib/wsl/lib/nvidia-smi';
/** Without an option. Without persistence mode a host with many GPUs takes several seconds. In milliseconds. */
export const SMI_TIMEOUT_MS = 15_000;

/** How long a killed process may take to be gone before it counts as hung. In milliseconds. */
const GONE_MS = 2_000;

export type NvidiaSmiOptions = {
  /** A path, or a name on PATH. */
  readonly program: string;
  /** The deadline of one call, in milliseconds. */
  readonly deadlineMs?: number;
  /** For tests: kills a process. An nvidia-smi that hangs in the driver can survive SIGKILL. */
  readonly kill?: (pid: number) => void;
  /** For tests: the program that is used where a name is not on PATH. */
  readonly fallback?: string;
};

/**
 * Runs nvidia-smi: one call at a time, each under a deadline, without waiting for the exit of a hung one, and beside them one
 * that is followed. Starts no other while a hung one exists, because on a sick GPU they would pile up.
 */
export class NvidiaSmi {
  readonly #program: string;
  readonly #fallback: string;
  readonly #options: { readonly deadlineMs: number; readonly kill?: (pid: number) => void };
  #turn: Promise<unknown> = Promise.resolve();
  /** The process id of a killed nvidia-smi that still runs. */
  #hung: number | undefined;
  /** The same of one that was followed, which may be about to end. */
  #killedFollowed: { readonly pid: number; readonly gone: Promise<void> } | undefined;

  constructor({ deadlineMs = SMI_TIMEOUT_MS, fallback = WSL_PROGRAM, kill, program }: NvidiaSmiOptions) {
    this.#program = program;
    this.#fallback = fallback;
    this.#options = { deadlineMs, ...(kill !== undefined && { kill }) };
  }

  /** What it answers, whatever its exit code. Throws GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  run(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    const turn = this.#turn.then(() => this.#runNow(args, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Follows what it prints until it ends, and returns its exit code. Only one may be followed at a time. Throws
   * GPU_PROBE_FAILED, GPU_PROBE_HUNG, and as `onLines` and `onStderr`.
   */
  async follow(
    args: readonly string[],
    options: Pick<FollowOptions, 'onLines' | 'onStderr' | 'signal'>,
  ): Promise<ProgramResult['code']> {
    if (this.#killedFollowed !== undefined)
      await waitAtMost(GONE_MS, this.#killedFollowed.gone, options.signal);
    const hung = this.#hung ?? this.#killedFollowed?.pid;
    if (hung !== undefined) throw this.#hungError(`still runs after it was killed (process ${hung})`);
    const onKilled = (pid: number, gone: Promise<void>): void => {
      this.#killedFollowed = { pid, gone: gone.then(() => (this.#killedFollowed = undefined)) };
    };
    const { kill } = this.#options;
    const follow = (program: string): Promise<ProgramResult['code']> =>
      followProgram(program, args, { ...options, onKilled, ...(kill !== undefined && { kill }) });
    try {
      const code = await follow(this.#program);
      return this.#isAbsent(code) ? await follow(this.#fallback) : code;
    } catch (thrown) {
      throw this.#explain(thrown);
    }
  }

  #isAbsent(code: ProgramResult['code']): boolean {
    return code === PROGRAM_NOT_FOUND && !this.#program.includes('/') && existsSync(this.#fallback);
  }

  async #runNow(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    if (this.#hung !== undefined)
      throw this.#hungError(`still runs after it was killed (process ${this.#hung})`);
    const result = await this.#runProgram(this.#program, args, signal);
    return this.#isAbsent(result.code) ? this.#runProgram(this.#fallback, args, signal) : result;
  }

  async #runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    const onKilled = (pid: number, gone: Promise<void>): void => {
      this.#hung = pid;
      void gone.then(() => (this.#hung = undefined));
    };
    return runProgram(program, args, { ...this.#options, signal, onKilled }).catch((thrown: unknown) => {
      throw signal.aborted ? probeFailed('the GPU probe was cancelled') : this.#explain(thrown);
    });
  }

  #explain(thrown: unknown): unknown {
    if (!(thrown instanceof ProgramError)) return thrown;
    if (thrown.reason === 'late') return this.#hungError(thrown.message);
    return probeFailed(`${escapeControls(this.#program)} ${thrown.message}`);
  }

  #hungError(what: string): AgentError {
    return new AgentError('GPU_PROBE_HUNG', `${escapeControls(this.#program)} ${what}`);
  }
}

function probeFailed(message: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', message);
}
