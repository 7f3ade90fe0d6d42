import { vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { PYTHON } from '../engine/docker.ts';
import type { FleetNode } from './node.ts';

const CODE = `import time\ndef handler(event):\n    time.sleep(event[0])\n    return str(event[1])\n`;
const NOT_ENDED: readonly number[] = [JOB_STATUS.CREATED, JOB_STATUS.IN_PROGRESS];

/** What became of one job. */
export type Outcome = {
  readonly status: number;
  readonly result: string | null;
  /** How often it was reported. */
  readonly reports: number;
};

/** Jobs on the market of a fleet, and what became of each. */
export class Workload {
  /** Each succeeds with its own number, and is reported once. */
  readonly paidOnce: readonly Outcome[];
  /** Each is started once. */
  readonly startedOnce: readonly number[];
  readonly #broker: EmbeddedBroker;
  readonly #run: string;
  readonly #reported: string[] = [];

  /** Puts so many jobs on the market, each of which lasts so many seconds. */
  constructor(broker: EmbeddedBroker, jobs: number, seconds: number) {
    this.#broker = broker;
    const { store } = broker;
    const image = store.addImage({ registryPath: PYTHON, requiresGpu: false, runtime: 'python36' });
    const fn = store.addFunction({ name: 'sleep', code: CODE, image });
    const numbers = Array.from({ length: jobs }, (_, index) => index);
    this.paidOnce = numbers.map((index) => ({
      status: JOB_STATUS.SUCCEEDED,
      result: String(index),
      reports: 1,
    }));
    this.startedOnce = numbers.map(() => 1);
    store.onEvent((event) => void (event.kind === 'reported' && this.#reported.push(event.job.uuid)));
    const parameters = `(${numbers.map((index) => `(${seconds}, ${index})`).join(', ')},)`;
    this.#run = store.addRun({ function: fn, parameters, bidPrice: 0.5 });
  }

  /** Waits until so many jobs run at least, or have run. */
  async untilClaimed(count: number): Promise<void> {
    await vi.waitFor(() => {
      const claimed = this.#jobs.filter(({ status }) => status !== JOB_STATUS.CREATED).length;
      if (claimed < count) throw new Error(`${claimed} jobs are claimed`);
    }, 60_000);
  }

  /** Waits until all have ended. */
  async outcomes(): Promise<readonly Outcome[]> {
    return vi.waitFor(
      () => {
        const jobs = this.#jobs;
        const left = jobs.filter(({ status }) => NOT_ENDED.includes(status)).length;
        if (left > 0) throw new Error(`${left} jobs have not ended`);
        return jobs.map(({ result, status, uuid }) => ({ status, result, reports: this.#reportsOf(uuid) }));
      },
      { timeout: 90_000, interval: 100 },
    );
  }

  /** How often each job was started on these nodes, all together. */
  async starts(nodes: readonly FleetNode[]): Promise<readonly number[]> {
    const started = (await Promise.all(nodes.map(({ events }) => events.startedJobs()))).flat();
    return this.#jobs.map(({ uuid }) => started.filter((job) => job === uuid).length);
  }

  #reportsOf(job: string): number {
    return this.#reported.filter((uuid) => uuid === job).length;
  }

  get #jobs() {
    return this.#broker.store.jobsOf(this.#run);
  }
}
