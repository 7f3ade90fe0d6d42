import { AgentError } from '../domain/errors.ts';
import type { KernelLog } from '../domain/ports/gpu.ts';
import type { Xid } from '../domain/xid.ts';
import { followProgram, PROGRAM_NOT_FOUND, ProgramError } from '../lib/process.ts';
import { LIMITS } from '../limits.ts';
import { xidIn } from './xid-lines.ts';

/** Without the group systemd-journal, journalctl prints this and shows no kernel messages. */
const UNPRIVILEGED = /insufficient permissions|not seeing messages/i;

/** The kernel's log as `journalctl` shows it. */
export class JournalctlLog implements KernelLog {
  readonly #program: string;

  /** `program`: a path, or a name on PATH. */
  constructor(program = 'journalctl') {
    this.#program = program;
  }

  follow(sink: (xid: Xid) => void, signal: AbortSignal): Promise<void> {
    return this.#read(['-k', '-f', '-n', '0', '-o', 'cat'], sink, signal);
  }

  /** Reads one line. Throws KERNEL_LOG_UNREADABLE. */
  check(signal: AbortSignal): Promise<void> {
    return this.#read(['-k', '-n', '1', '-o', 'cat'], () => undefined, signal);
  }

  async #read(args: readonly string[], sink: (xid: Xid) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let stderr = '';
    const onLines = (lines: readonly string[]): void => {
      for (const line of lines) {
        const xid = xidIn(line);
        if (xid !== undefined) sink(xid);
      }
    };
    const onStderr = (text: string): void => {
      stderr = (stderr + text).slice(0, LIMITS.host.journalctlError.max);
      if (UNPRIVILEGED.test(stderr)) throw unprivileged();
    };
    try {
      const code = await followProgram(this.#program, args, { onLines, onStderr, signal });
      if (code === PROGRAM_NOT_FOUND) throw absent(this.#program);
    } catch (thrown) {
      if (signal.aborted) return;
      throw thrown instanceof ProgramError ? unreadable(`${this.#program} ${thrown.message}`) : thrown;
    }
  }
}

function absent(program: string): AgentError {
  return unreadable(
    `${program} is not installed`,
    'install systemd to detect sick GPUs at once; nvidia-smi detects them up to a minute later',
  );
}

function unprivileged(): AgentError {
  return unreadable(
    'the agent’s user has no access to the kernel’s log',
    'run sudo usermod -aG systemd-journal USER with the agent’s user, then restart the agent',
  );
}

function unreadable(message: string, hint?: string): AgentError {
  return new AgentError('KERNEL_LOG_UNREADABLE', message, hint === undefined ? {} : { hint });
}
