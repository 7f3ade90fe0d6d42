import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');

/** What a process of the agent's command line did. */
export type Ended = {
  readonly code: number | null;
  /** What ended it, where that was no exit. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** The agent's command line as a real process of its own. Disposing kills what still runs. */
export class AgentProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';

  /**
   * The environment is what is given and PATH: nothing of the tester's own. `through` is a command that executes what
   * follows it.
   */
  constructor(
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
    entry = 'src/main.ts',
    through: readonly string[] = [],
  ) {
    const [program = '', ...more] = [...through, process.execPath, entry, ...argv];
    this.child = spawn(program, more, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.ended = new Promise((done, failed) => {
      this.child.on('error', failed);
      this.child.on('close', (code, signal) =>
        done({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  /** What it has said on stderr so far. */
  get said(): string {
    return this.#stderr;
  }

  /** What it has said on stdout so far. */
  get heard(): string {
    return this.#stdout;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
