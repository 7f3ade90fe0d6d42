import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const TIMED = { ms: z.number(), ranMs: z.number(), waitedMs: z.number(), watcherWaitedMs: z.number() };
const LINE = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('lag'), ...TIMED }),
  z.object({ kind: z.literal('ended'), ...TIMED }),
  z.object({ kind: z.literal('memory'), heldBytes: z.number() }),
]);

/** How long something took, in milliseconds. */
export type Timed = {
  /** By the clock. */
  readonly ms: number;
  /** How long the agent’s main thread ran meanwhile, and waited for a core that others had. */
  readonly ranMs: number;
  readonly waitedMs: number;
  /** How long the watcher waited for a core; the agent may have answered before, and run on. */
  readonly watcherWaitedMs: number;
};

/** Follows an agent from a process of its own: see watcher.ts. */
export class Watch implements AsyncDisposable {
  /** Each answer about health at the control socket, ten times a second. */
  readonly answers: Timed[] = [];
  /** The most memory that it held; see cgroup.ts. */
  heldBytes = 0;
  readonly #child: ChildProcess;
  readonly #ended = Promise.withResolvers<Timed>();

  constructor(stateDir: string, cgroup: string, pid: number) {
    const entry = resolve(import.meta.dirname, 'watcher.ts');
    this.#child = spawn(process.execPath, [entry, stateDir, cgroup, String(pid)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (this.#child.stdout === null) throw new Error('the watcher has no stdout');
    createInterface(this.#child.stdout).on('line', (line) => this.#take(line));
  }

  /** Sends a signal to the agent; answers how long its process took to end. */
  signal(name: NodeJS.Signals): Promise<Timed> {
    this.#child.stdin?.write(`${name}\n`);
    return this.#ended.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await gone;
  }

  #take(text: string): void {
    const line = LINE.parse(JSON.parse(text));
    if (line.kind === 'lag') this.answers.push(line);
    else if (line.kind === 'ended') this.#ended.resolve(line);
    else this.heldBytes = line.heldBytes;
  }
}

/** How long the agent computed while somebody waited, whatever else the machine did. */
export function computedMs({ ranMs, watcherWaitedMs }: Timed): number {
  return Math.max(0, ranMs - watcherWaitedMs);
}

/** How long somebody waited for the agent, or for what it waited for, without the time in which others had the cores. */
export function blockedMs({ ms, waitedMs, watcherWaitedMs }: Timed): number {
  return Math.max(0, ms - waitedMs - watcherWaitedMs);
}
