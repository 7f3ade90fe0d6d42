import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../../..');

const LINE = z.record(z.string(), z.unknown());

/** Fields of a line of the log: `event` and what comes with it. A regular expression is for text. */
export type LogFields = Readonly<Record<string, unknown>>;

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

  /** The lines of its log so far that have all of these fields. */
  logged(fields: LogFields): readonly LogFields[] {
    const whole = this.#stderr.slice(0, this.#stderr.lastIndexOf('\n') + 1).split('\n');
    return whole
      .filter((line) => line.startsWith('{'))
      .map((line) => LINE.parse(JSON.parse(line)))
      .filter((line) => isMatch(line, fields));
  }

  /** Waits until its log has so many lines with all of these fields. Throws after a minute, or where it ended before. */
  async untilLogged(fields: LogFields, count = 1): Promise<void> {
    const late = AbortSignal.timeout(60_000);
    const isDone = (): boolean => this.logged(fields).length >= count;
    let over = false;
    void this.ended.then(() => (over = true));
    while (!isDone()) {
      if (over || late.aborted || this.child.stderr === null)
        throw new Error(`not logged ${count} times: ${inspect(fields)} in:\n${this.#stderr}`);
      await Promise.race([once(this.child.stderr, 'data', { signal: late }), this.ended]).catch(
        () => undefined,
      );
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

function isMatch(line: LogFields, fields: LogFields): boolean {
  return Object.entries(fields).every(([name, wanted]) =>
    wanted instanceof RegExp ? wanted.test(String(line[name])) : isDeepStrictEqual(line[name], wanted),
  );
}
