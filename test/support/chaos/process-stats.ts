import { once } from 'node:events';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { z } from 'zod';
import type { AgentProcess } from '../e2e/agent-process.ts';

/** What an agent holds at a moment at which it has nothing to do. */
export type ProcessStats = {
  /** How many jobs it had done by then. */
  readonly jobs: number;
  /** What JavaScript holds after a collection, buffers too. */
  readonly heapBytes: number;
  /** All memory of the process, after a collection too. */
  readonly rssBytes: number;
  readonly handles: number;
  readonly sockets: number;
  readonly journalBytes: number;
  readonly journalRows: number;
};

const PRINTED = z.object({ rows: z.number(), heapBytes: z.number(), rssBytes: z.number() });

/** Measures one agent of measured-agent.ts, from outside where that can be seen from outside. */
export class ProcessMonitor {
  readonly #agent: AgentProcess;
  readonly #lines: Interface;
  readonly #stateDir: string;

  constructor(agent: AgentProcess, stateDir: string) {
    if (agent.child.stdout === null) throw new Error('the agent has no stdout');
    this.#agent = agent;
    this.#lines = createInterface(agent.child.stdout);
    this.#stateDir = stateDir;
  }

  async measure(jobs: number): Promise<ProcessStats> {
    const line = once(this.#lines, 'line');
    this.#agent.signal('SIGUSR2');
    const printed = z.tuple([z.string()]).parse(await line);
    const { heapBytes, rows, rssBytes } = PRINTED.parse(JSON.parse(printed[0]));
    // The market history opens its files when it is first used, which may be at any time of the test.
    const open = (await this.#openFiles()).filter((target) => !target.includes('/market.db'));
    return {
      jobs,
      heapBytes,
      rssBytes,
      handles: open.length,
      sockets: open.filter((target) => target.startsWith('socket:')).length,
      journalBytes: await this.#journalBytes(),
      journalRows: rows,
    };
  }

  /** How many processes it has started that have not ended. */
  async children(): Promise<number> {
    const tasks = `/proc/${this.#agent.child.pid}/task`;
    const lists = await Promise.all(
      (await readdir(tasks)).map((task) => orNothing(readFile(join(tasks, task, 'children'), 'utf8'))),
    );
    return lists.flatMap((list) => (list ?? '').split(' ').filter((pid) => pid !== '')).length;
  }

  async #openFiles(): Promise<readonly string[]> {
    const folder = `/proc/${this.#agent.child.pid}/fd`;
    const targets = await Promise.all(
      (await readdir(folder)).map((fd) => orNothing(readlink(join(folder, fd)))),
    );
    return targets.filter((target) => target !== undefined);
  }

  async #journalBytes(): Promise<number> {
    const names = (await readdir(this.#stateDir)).filter((name) => name.startsWith('journal'));
    const sizes = await Promise.all(names.map((name) => orNothing(stat(join(this.#stateDir, name)))));
    return sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0);
  }
}

/** undefined: it went away between being listed and being read. */
async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ESRCH'))
      return undefined;
    throw thrown;
  }
}

/** How much of it comes with each job, in its own unit: the slope of the line that fits best. */
export function growthPerJob(
  stats: readonly ProcessStats[],
  of: 'heapBytes' | 'rssBytes' | 'journalBytes',
): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const jobs = mean(stats.map((one) => one.jobs));
  const level = mean(stats.map((one) => one[of]));
  const together = stats.map((one) => (one.jobs - jobs) * (one[of] - level));
  const alone = stats.map((one) => (one.jobs - jobs) ** 2);
  return mean(together) / mean(alone);
}
