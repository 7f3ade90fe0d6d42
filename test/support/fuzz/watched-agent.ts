import { AgentProcess } from '../e2e/agent-process.ts';
import type { MemoryCgroup } from './cgroup.ts';
import { type Timed, Watch } from './watch.ts';

const ENTRY = 'test/support/fuzz/agent.ts';

/** An agent in a process and a memory cgroup of its own, watched from a third process. */
export class WatchedAgent implements AsyncDisposable {
  readonly process: AgentProcess;
  readonly watch: Watch;
  #isOver = false;

  constructor(env: Readonly<Record<string, string>>, cgroup: MemoryCgroup) {
    const inside = ['sh', '-c', `echo $$ > '${cgroup.procs}' && exec "$@"`, 'sh'];
    this.process = new AgentProcess(['start'], env, ENTRY, inside);
    const { pid } = this.process.child;
    if (pid === undefined) throw new Error('the agent could not be started');
    this.watch = new Watch(env['SHAREDCLOUD_STATE_DIR'] ?? '', cgroup.path, pid);
    void this.process.ended.then(() => (this.#isOver = true));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends it as systemd does. */
  async terminate(): Promise<AgentEnd> {
    const isCrash = this.#isOver;
    const timed = isCrash ? undefined : this.watch.signal('SIGTERM');
    const { code, signal, stderr } = await this.process.ended;
    return { isCrash, how: code ?? signal, log: stderr, took: await timed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch[Symbol.asyncDispose]();
    await this.process[Symbol.asyncDispose]();
  }
}

/** How an agent ended. */
export type AgentEnd = {
  /** It ended by itself, before it was asked to. */
  readonly isCrash: boolean;
  readonly how: number | NodeJS.Signals | null;
  readonly log: string;
  readonly took: Timed | undefined;
};
