import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { AS_PACKAGED } from '../../test/support/e2e/as-packaged.ts';
import type { Ground } from '../row.ts';
import type { Yardstick } from './yardstick.ts';

/** A process that does of jobs nothing but the agent's calls to the engine, by Node.js's own HTTP. */
export class BareAgent implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #yardstick: Yardstick;

  /** For an engine behind a Unix socket. Node.js starts as in the packages. */
  constructor({ engine }: Ground, yardstick: Yardstick) {
    const program = join(import.meta.dirname, 'bare-calls.ts');
    this.child = spawn(process.execPath, [program, engine.host.replace('unix://', '')], {
      env: AS_PACKAGED,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#yardstick = yardstick;
  }

  /** Runs so many containers of the yardstick, one after the other; returns their jobs in this order. */
  async run(jobs: number): Promise<readonly string[]> {
    const { stdin, stdout } = this.child;
    if (stdin === null || stdout === null) throw new Error('the process has no pipes');
    const names = Array.from({ length: jobs }, () => randomUUID());
    const specs = names.map((name) => this.#yardstick.spec(name));
    const done = once(stdout, 'data');
    stdin.write(`${JSON.stringify(specs)}\n`);
    await done;
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }
}
