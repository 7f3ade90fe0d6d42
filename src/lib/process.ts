import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { LIMITS } from '../limits.ts';
import { unlessAborted, withDeadline } from './deadline.ts';
import { LineSplitter } from './line-splitter.ts';

/** The exit code of a program that is not on this host. */
export const PROGRAM_NOT_FOUND = 127;

/** How a program ended, by its exit code or by a signal, and what it printed. */
export type ProgramResult = {
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A program could not be started, or had to be killed. */
export class ProgramError extends Error {
  readonly reason: 'not-started' | 'late' | 'too-much-output';

  constructor(reason: ProgramError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProgramError';
    this.reason = reason;
  }
}

type ProgramOptions = {
  /** Ends it, with its own reason. */
  readonly signal?: AbortSignal | undefined;
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Its whole environment; by default that of this process without the token. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kills a process with all that it started. */
  readonly kill?: (leader: number) => void;
  /** Called where a killed process is still there; `gone` settles when it is not. */
  readonly onKilled?: (leader: number, gone: Promise<void>) => void;
};

export type RunOptions = ProgramOptions & {
  /** How long it may take, in milliseconds. */
  readonly deadlineMs: number;
  /** Of stdout and stderr together. */
  readonly maxOutputBytes?: number;
  /**
   * How many milliseconds after its exit the output may be open that something it started still holds, and that is left
   * running; by default until the deadline.
   */
  readonly lingerMs?: number;
};

/**
 * Runs a program of this host, in English, to its end. Throws ProgramError or the reason of `signal`. The program is then
 * killed with all that it started, without waiting for its end: a process that hangs in a driver never ends.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<ProgramResult> {
  const { deadlineMs, lingerMs, maxOutputBytes = LIMITS.host.programOutput.max, signal } = options;
  signal?.throwIfAborted();
  const child = start(program, args, options);
  const ended = endOf(child, lingerMs);
  const output = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>() };
  let bytes = 0;
  const keepIn = (chunks: Buffer[]) => (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxOutputBytes) chunks.push(chunk);
    else ended.reject(new ProgramError('too-much-output', `printed more than ${maxOutputBytes} bytes`));
  };
  child.stdout.on('data', keepIn(output.stdout));
  child.stderr.on('data', keepIn(output.stderr));
  const error = new ProgramError('late', `gave no answer in ${deadlineMs / 1000} s`);
  try {
    const code = await withDeadline({ ms: deadlineMs, error, signal }, () => ended.promise);
    return { code, stdout: textOf(output.stdout), stderr: textOf(output.stderr) };
  } catch (thrown) {
    killChild(child, options);
    throw thrown;
  } finally {
    letGo(child);
  }
}

export type FollowOptions = ProgramOptions & {
  readonly signal: AbortSignal;
  /** Called with the lines that each piece of stdout completes, and its length; throws to end the program. */
  readonly onLines: (lines: readonly string[], length: number) => void;
  /** Called with each piece of stderr; throws to end the program. */
  readonly onStderr: (text: string) => void;
};

/**
 * Follows what a program prints until it ends, and returns its exit code. Throws as `runProgram`, and as `onLines` and
 * `onStderr`. A last line without its break counts.
 */
export async function followProgram(
  program: string,
  args: readonly string[],
  options: FollowOptions,
): Promise<ProgramResult['code']> {
  const { onLines, onStderr, signal } = options;
  signal.throwIfAborted();
  const child = start(program, args, options);
  const ended = endOf(child);
  const splitter = new LineSplitter(LIMITS.host.programLine.max);
  const take = (work: () => void): void => {
    try {
      if (!signal.aborted) work();
    } catch (thrown) {
      ended.reject(thrown);
    }
  };
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => take(() => onLines(splitter.push(text), text.length)));
  child.stdout.on('end', () =>
    take(() => {
      const last = splitter.end();
      if (last !== undefined) onLines([last], 0);
    }),
  );
  child.stderr.setEncoding('utf8').on('data', (text: string) => take(() => onStderr(text)));
  try {
    return await unlessAborted(ended.promise, signal);
  } finally {
    if (isRunning(child)) killChild(child, options);
    letGo(child);
  }
}

/**
 * Signals a process and all that it started, as far as they stayed in its group; `leader` must have been spawned
 * detached. Does nothing where none is left.
 */
export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, signal);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) throw cause;
  }
}

/** The exit code as a shell has it: 128 and the signal's number where a signal ended the process. */
export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
}

/** A shell answers 126 where a directory of PATH cannot be entered, so the name is looked up first. */
const LOOK_UP = `case $0 in
  */*) ;;
  *)
    unset found; set -f; IFS=:
    for directory in $PATH; do [ -e "\${directory:-.}/$0" ] && found=yes; done
    [ -n "$found" ] || exit 127
    set +f; unset IFS
esac`;

/** The environment is not read here, so a shell changes it. It becomes the program: the process id stays. */
const LAUNCH = `unset SHAREDCLOUD_TOKEN; LC_ALL=C; export LC_ALL
${LOOK_UP}
exec "$0" "$@"`;

type Child = ChildProcessWithoutNullStreams;

function start(program: string, args: readonly string[], { env, input = '' }: ProgramOptions): Child {
  // Detached makes it the leader of a group of its own, so that a wrapper is killed with all that it started.
  const options = { detached: true, ...(env !== undefined && { env }) };
  const child = spawn('/bin/sh', ['-c', LAUNCH, program, ...args], options);
  // A program that ends before it has read everything says why on its own.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return child;
}

function endOf(child: Child, lingerMs?: number): PromiseWithResolvers<ProgramResult['code']> {
  const ended = Promise.withResolvers<ProgramResult['code']>();
  child.on('error', (cause) =>
    ended.reject(new ProgramError('not-started', `cannot be run: ${cause.message}`, { cause })),
  );
  child.on('close', (code, killedBy) => ended.resolve(code ?? killedBy));
  if (lingerMs !== undefined)
    child.on('exit', (code, killedBy) => {
      const timer = setTimeout(() => ended.resolve(code ?? killedBy), lingerMs);
      child.on('close', () => clearTimeout(timer));
    });
  return ended;
}

/** Closes what would keep this process waiting for the end of the program. */
function letGo(child: Child): void {
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
}

/** Kills it with all that it started, of which some may be left where it has ended itself. */
function killChild(child: Child, { kill = killGroup, onKilled }: ProgramOptions): void {
  if (child.pid === undefined) return;
  if (isRunning(child)) onKilled?.(child.pid, new Promise((gone) => void child.once('exit', () => gone())));
  kill(child.pid);
}

function killGroup(leader: number): void {
  signalGroup(leader, 'SIGKILL');
}

function isRunning({ exitCode, signalCode }: Child): boolean {
  return exitCode === null && signalCode === null;
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString();
}
