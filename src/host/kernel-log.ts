import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { AgentError } from '../domain/errors.ts';
import type { KernelLog } from '../domain/ports/gpu.ts';
import type { Xid } from '../domain/xid.ts';
import { launch } from '../lib/launch.ts';
import { signalGroup } from '../lib/process-group.ts';
import { xidIn } from './xid-lines.ts';

/** The shell's word for a program that is nowhere. */
const NOT_THERE = 127;
/** What is kept of what journalctl complains of, in characters. */
const MOST_SAID = 4_096;
/** Without the group, journalctl says so, and then ends or shows only what is of no use here. */
const UNPRIVILEGED = /insufficient permissions|not seeing messages/i;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** The kernel's log as `journalctl` shows it. */
export class JournalctlLog implements KernelLog {
  readonly #program: string;

  /** `program`: a path, or a name to be found on PATH. */
  constructor(program = 'journalctl') {
    this.#program = program;
  }

  /** As the port says. The process that reads the log ends with the signal, and is not waited for. */
  follow(sink: (xid: Xid) => void, signal: AbortSignal): Promise<void> {
    return this.#read(['-k', '-f', '-n', '0', '-o', 'cat'], sink, signal);
  }

  /** Settles where the kernel's log can be read; throws KERNEL_LOG_UNREADABLE with the hint where it cannot. */
  look(signal: AbortSignal): Promise<void> {
    return this.#read(['-k', '-n', '1', '-o', 'cat'], () => undefined, signal);
  }

  #read(args: readonly string[], sink: (xid: Xid) => void, signal: AbortSignal): Promise<void> {
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) return Promise.resolve();
    const [shell, line] = launch(this.#program, args);
    const child = spawn(shell, line, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = createInterface({ input: child.stdout });
    let said = '';
    const end = (error?: AgentError): void => {
      letGo(child);
      lines.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    const abort = (): void => end();
    signal.addEventListener('abort', abort, { once: true });
    lines.on('line', (text) => {
      const xid = signal.aborted ? undefined : xidIn(text);
      if (xid !== undefined) sink(xid);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, MOST_SAID);
      if (UNPRIVILEGED.test(said)) end(unprivileged());
    });
    child.on('error', (cause) => end(unreadable(`${this.#program} cannot be run: ${cause.message}`)));
    child.on('close', (code) => end(code === NOT_THERE ? this.#absent() : undefined));
    return promise.finally(() => signal.removeEventListener('abort', abort));
  }

  #absent(): AgentError {
    return unreadable(
      `${this.#program} is not there`,
      'where there is no systemd, GPUs that are sick are found by nvidia-smi alone, a minute later',
    );
  }
}

/** Ends a process with all that it started, without waiting for it. */
function letGo(child: Child): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    signalGroup(child.pid, 'SIGKILL');
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
}

function unprivileged(): AgentError {
  return unreadable(
    'the agent’s user may not read the kernel’s log',
    'sudo usermod -aG systemd-journal USER, USER being the agent’s user; then start the agent again',
  );
}

function unreadable(message: string, hint?: string): AgentError {
  return new AgentError('KERNEL_LOG_UNREADABLE', message, hint === undefined ? {} : { hint });
}
