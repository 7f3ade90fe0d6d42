import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../../..');

/** How large the terminal is, and of which kind. */
export type TerminalKind = {
  readonly columns?: number;
  readonly rows?: number;
  readonly term?: string;
  /** A line of the shell to run in place of the agent's command line. */
  readonly line?: string;
};

/** A command line of the agent on a terminal of its own, by util-linux's `script`. Disposing kills what still runs. */
export class OnTerminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  #raw = '';
  #seen = 0;
  #onData: (() => void) | undefined;

  constructor(
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
    { columns = 80, line: other, rows = 40, term = 'xterm-256color' }: TerminalKind = {},
  ) {
    const words = [process.execPath, 'src/main.ts', ...argv].map(
      (word) => `'${word.replaceAll("'", "'\\''")}'`,
    );
    const line = `stty cols ${columns} rows ${rows}; exec ${other ?? words.join(' ')}`;
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], TERM: term, LANG: 'C.UTF-8', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#raw += text;
      this.#onData?.();
    });
    this.ended = new Promise((done, failed) => {
      this.#child.on('error', failed);
      this.#child.on('close', (code) => done(code));
    });
  }

  /** Everything that it was sent, with its control sequences. */
  get raw(): string {
    return this.#raw;
  }

  /** The same without them. */
  get shown(): string {
    return stripVTControlCharacters(this.#raw);
  }

  /** Waits until the text comes up behind what was waited for before; fails if the command ends first. */
  async until(text: string | RegExp): Promise<void> {
    const isThere = (): boolean => {
      const rest = this.shown.slice(this.#seen);
      const at = typeof text === 'string' ? rest.indexOf(text) : rest.search(text);
      if (at < 0) return false;
      this.#seen += at + 1;
      return true;
    };
    const appeared = new Promise<void>((done) => {
      this.#onData = () => {
        if (isThere()) done();
      };
      this.#onData();
    });
    const ended = this.ended.then((code) => isThere() || code);
    const how = await Promise.race([appeared, ended]);
    this.#onData = undefined;
    if (typeof how === 'boolean' || how === undefined) return;
    throw new Error(`${String(text)} did not appear before exit code ${how}:\n${this.shown}`);
  }

  /** Presses keys. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Waits for a question, and answers it with a line. */
  async answer(question: string | RegExp, text = ''): Promise<void> {
    await this.until(question);
    this.type(`${text}\r`);
  }

  /** Closes the terminal. */
  hangUp(): void {
    this.#child.stdin?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';
