import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { AgentError } from '../domain/errors.ts';
import { escapeControls } from '../lib/escape.ts';
import { launch } from '../lib/launch.ts';
import { signalGroup } from '../lib/process-group.ts';
import { type SmiAnswer, smiFailure } from './smi-failure.ts';

/** Far more than nvidia-smi says of the GPUs of any host. */
const MOST_BYTES = 8 * 1024 * 1024;

type Child = ChildProcessByStdio<null, Readable, Readable>;

type Killable = Pick<Child, 'kill' | 'pid'>;

export type NvidiaSmiOptions = {
  /** A path, or a name to be found on PATH. */
  readonly program: string;
  /** How long nvidia-smi may take, in milliseconds. */
  readonly deadlineMs?: number;
  /** Ends a process for good. It is known not to work on an nvidia-smi that hangs in the driver. */
  readonly kill?: (child: Killable) => void;
};

/**
 * Runs nvidia-smi: one at a time, never for longer than the deadline, never waiting for the exit of one that hangs.
 * While a hung one is still there no other is started: on a sick GPU they would pile up.
 */
export class NvidiaSmi {
  readonly #program: string;
  readonly #deadlineMs: number;
  readonly #kill: (child: Killable) => void;
  #turn: Promise<unknown> = Promise.resolve();
  #hung: Child | undefined;

  constructor(options: NvidiaSmiOptions) {
    this.#program = options.program;
    this.#deadlineMs = options.deadlineMs ?? 15_000;
    this.#kill = options.kill ?? killGroup;
  }

  /**
   * What nvidia-smi says. Also answers where it warns of one GPU and shows the others (exit codes 14 and 15); throws
   * GPU_PROBE_FAILED, GPU_PROBE_HUNG or GPU_NONE otherwise.
   */
  run(args: readonly string[], signal: AbortSignal): Promise<SmiAnswer> {
    const turn = this.#turn.then(() => this.#runNow(args, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #runNow(args: readonly string[], signal: AbortSignal): Promise<SmiAnswer> {
    if (signal.aborted) throw calledOff();
    if (this.#hung !== undefined) {
      throw this.#hungError(`is still there (process ${this.#hung.pid}) after it was killed`);
    }
    const [shell, line] = launch(this.#program, args);
    const child = spawn(shell, line, {
      // A group of its own: a wrapper around nvidia-smi is to be killed with all that it started.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const answer = await this.#answerOf(child, signal);
    const failure = smiFailure(answer, this.#program);
    if (failure !== undefined) throw failure;
    return answer;
  }

  #answerOf(child: Child, signal: AbortSignal): Promise<SmiAnswer> {
    const { promise, reject, resolve } = Promise.withResolvers<SmiAnswer>();
    const chunks = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>() };
    let bytes = 0;
    const giveUp = (error: AgentError): void => {
      this.#abandon(child);
      reject(error);
    };
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) into.push(chunk);
      else giveUp(probeFailed(`${this.#program} said more than ${MOST_BYTES} bytes`));
    };
    const abort = (): void => giveUp(calledOff());
    const timer = setTimeout(
      () => giveUp(this.#hungError(`gave no answer in ${this.#deadlineMs / 1000} s`)),
      this.#deadlineMs,
    );
    signal.addEventListener('abort', abort);
    child.stdout.on('data', collect(chunks.stdout));
    child.stderr.on('data', collect(chunks.stderr));
    child.on('error', (cause) => giveUp(probeFailed(`${this.#program} cannot be run: ${cause.message}`)));
    child.on('close', (code, killedBy) => {
      const text = (of: readonly Buffer[]): string => Buffer.concat(of).toString();
      resolve({ code: code ?? killedBy, stdout: text(chunks.stdout), stderr: text(chunks.stderr) });
    });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
  }

  /** Lets go of a process: killed, its pipes closed, its exit remembered but not waited for. */
  #abandon(child: Child): void {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      this.#hung = child;
      child.once('exit', () => {
        this.#hung = undefined;
      });
    }
    this.#kill(child);
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }

  #hungError(what: string): AgentError {
    return new AgentError('GPU_PROBE_HUNG', `${escapeControls(this.#program)} ${what}`, {
      hint: 'a GPU may be sick: see the kernel’s log for Xid lines (journalctl -k | grep Xid); a reboot may help',
    });
  }
}

function killGroup({ pid }: Killable): void {
  if (pid !== undefined) signalGroup(pid, 'SIGKILL');
}

function calledOff(): AgentError {
  return probeFailed('the look at the GPUs was called off');
}

function probeFailed(message: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', message);
}
