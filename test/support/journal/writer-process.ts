import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url));

/** A process that writes the lifecycle into a journal until it is killed. */
export class WriterProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #last = '';
  #acknowledged = 0;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** `limitKiB`: the largest file that it may write. */
  static start(directory: string, from = 0, limitKiB?: number): WriterProcess {
    const limit = limitKiB === undefined ? '' : `trap '' XFSZ; ulimit -f ${limitKiB}; `;
    const child = spawn(
      'bash',
      ['-c', `${limit}exec "$@"`, 'bash', process.execPath, WRITER, directory, `${from}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return new WriterProcess(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How many steps the journal has accepted, by the lines read so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Waits for `count` more lines. */
  async read(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      if (!(await this.#next())) throw new Error('the writer has ended');
    }
  }

  /** Kills it with SIGKILL; returns the last line that it wrote. */
  async kill(): Promise<string> {
    this.#child.kill('SIGKILL');
    return await this.ended();
  }

  /** Waits for its exit; returns the last line that it wrote. */
  async ended(): Promise<string> {
    const exit = this.#child.exitCode ?? this.#child.signalCode ?? once(this.#child, 'exit');
    while (await this.#next());
    await exit;
    return this.#last;
  }

  async #next(): Promise<boolean> {
    const line = await this.#lines.next();
    if (line.done === true) return false;
    this.#last = line.value;
    if (/^\d+$/.test(line.value)) this.#acknowledged = Number(line.value);
    return true;
  }
}
