import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';

/**
 * A network, mount and process namespace of a test's own, with nothing in it but a loopback interface. Whatever runs
 * in it ends with it, and its mounts go with it, also where the test itself is killed. Needs root.
 */
export class OwnNamespace implements AsyncDisposable {
  readonly #outer: ChildProcess;
  /** The first process in it, which reaps all others. */
  readonly #init: string;

  private constructor(outer: ChildProcess, init: string) {
    this.#outer = outer;
    this.#init = init;
  }

  static async open(): Promise<OwnNamespace> {
    const unshare = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const init = [
      'busybox',
      'sh',
      '-c',
      'busybox ip link set lo up && exec docker-init -s -- sleep infinity',
    ];
    const outer = spawn('setpriv', ['--pdeathsig', 'KILL', ...unshare, ...init], { stdio: 'ignore' });
    await once(outer, 'spawn');
    return new OwnNamespace(
      outer,
      await vi.waitFor(async () => {
        const pid = await childOf(outer.pid);
        const name = await readFile(`/proc/${pid}/comm`, 'utf8');
        if (name !== 'docker-init\n') throw new Error(`the namespace is not up: ${name} runs in it`);
        return pid;
      }, 10_000),
    );
  }

  /** The id of its first process, as this process sees it. */
  get pid(): string {
    return this.#init;
  }

  /** The path by which this process reaches a file of its mounts. */
  path(inside: string): string {
    return `/proc/${this.#init}/root${inside}`;
  }

  /** Runs a command in it; the process that is answered only waits for the one inside, and ends as that does. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const enter = ['--target', this.#init, '--net', '--mount', '--pid', '--'];
    return spawn('nsenter', [...enter, ...command], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#outer, 'exit');
    process.kill(Number(this.#init), 'SIGKILL');
    await ended;
  }
}

/** Leads connections between a port in the namespace and a unix socket, in the direction from `from` to `to`. */
export async function relay(namespace: OwnNamespace, from: string, to: string): Promise<void> {
  const started = namespace.spawn([process.execPath, join(import.meta.dirname, 'relay.ts'), from, to], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (started.stdout !== null) await once(started.stdout, 'data');
}

/** Sends a signal to what a process of `OwnNamespace.spawn` waits for. */
export async function signalInside(waiting: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  process.kill(Number(await childOf(waiting.pid)), signal);
}

/** The one child of a process. Throws while it has none. */
async function childOf(pid: number | undefined): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const [child] = children.trim().split(' ');
  if (child === undefined || child === '') throw new Error(`process ${pid} has no child`);
  return child;
}
