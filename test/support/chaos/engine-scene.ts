import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { addRun, openStage } from '../e2e/stage.ts';
import { PYTHON } from '../engine/docker.ts';
import { EngineProxy } from '../engine/engine-proxy.ts';
import type { EngineChoice, PrivateEngine } from '../engine/private-engine.ts';

/** A job that prints, waits until it is told to go on, prints again, and then ends as it is told. */
const PATIENT = `
import os, sys, time
def handler(event):
    print('first')
    told = os.path.join(os.environ['SHAREDCLOUD_INPUT'], 'go')
    while not os.path.exists(told):
        time.sleep(0.02)
    print('last')
    if event[0] != 'returns':
        os._exit(int(event[0]))
    return 'done'
`;

/** A word of the broker about a job: that it was claimed, released, reported with this status. */
export type Word = 'claimed' | 'released' | 'expired' | `reported ${keyof typeof JOB_STATUS}`;

/** An agent as a process of its own between a real broker and an engine that is to be hurt. */
export class EngineScene implements AsyncDisposable {
  readonly engine: PrivateEngine;
  readonly proxy: EngineProxy;
  readonly agent: AgentProcess;
  readonly #stage: Awaited<ReturnType<typeof openStage>>;
  readonly #words = new Map<string, Word[]>();

  private constructor(
    engine: PrivateEngine,
    proxy: EngineProxy,
    stage: Awaited<ReturnType<typeof openStage>>,
  ) {
    this.engine = engine;
    this.proxy = proxy;
    this.#stage = stage;
    stage.broker.store.onEvent((event) => {
      if (!('job' in event)) return;
      const { status, uuid } = event.job;
      const name = Object.entries(JOB_STATUS).find(([, value]) => value === status)?.[0];
      const word = event.kind === 'reported' ? `reported ${name}` : event.kind;
      this.#words.set(uuid, [...this.words(uuid), word as Word]);
    });
    this.agent = this.startAgent();
  }

  /** The engine starts afresh; the agent is started in any case, whether or not the engine answers it. */
  static async open(
    engine: PrivateEngine,
    choice: EngineChoice,
    env: Readonly<Record<string, string>> = {},
  ): Promise<EngineScene> {
    await engine.renew(choice);
    const proxy = await EngineProxy.start(engine.host);
    const stage = await openStage(proxy.host, { SHAREDCLOUD_CPU_SLOTS: '1', ...env });
    return new EngineScene(engine, proxy, stage);
  }

  startAgent(): AgentProcess {
    return new AgentProcess(['start'], this.#stage.env);
  }

  /** Puts one job on the market; `ends` is its exit code, or `returns`. Answers its uuid. */
  addJob(ends: number | 'returns' = 'returns', image = PYTHON): string {
    const { broker } = this.#stage;
    const run = addRun(broker, image, PATIENT, `(('${ends}',),)`);
    return broker.store.jobsOf(run)[0]?.uuid ?? '';
  }

  /** What the broker has heard of a job, in order. */
  words(job: string): readonly Word[] {
    return this.#words.get(job) ?? [];
  }

  /** The job at the broker. */
  job(uuid: string) {
    return this.#stage.broker.store.job(uuid);
  }

  /** Waits until the broker has heard this of a job. */
  async hears(job: string, word: Word): Promise<void> {
    await vi.waitFor(() => expect(this.words(job), this.agent.said).toContain(word), {
      timeout: 90_000,
      interval: 50,
    });
  }

  /** Waits until a job's container runs and has printed. */
  async runs(job: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const [container] = await this.containers(job);
        expect(container?.State, this.agent.said).toBe('running');
        const log = await this.engine.docker.getContainer(container?.Id ?? '').logs({ stdout: true });
        expect(String(log)).toContain('first');
      },
      { timeout: 60_000, interval: 100 },
    );
  }

  /** Lets a job go on to its end. */
  async goOn(job: string): Promise<void> {
    await writeFile(join(this.#stage.directory, 'state', 'jobs', job, 'go'), '');
  }

  /** The containers of a job, whatever their state. */
  containers(job: string) {
    const filters = JSON.stringify({ label: [`sharedcloud.job=${job}`] });
    return this.engine.docker.listContainers({ all: true, filters });
  }

  /** Waits until nothing of any job is left on this host: no container, no file. */
  async nothingLeft(): Promise<void> {
    await vi.waitFor(
      async () => {
        const filters = JSON.stringify({ label: ['sharedcloud.agent'] });
        const left = await this.engine.docker.listContainers({ all: true, filters });
        expect(left.map(({ Names }) => Names)).toEqual([]);
        expect(await readdir(join(this.#stage.directory, 'state', 'jobs'))).toEqual([]);
      },
      { timeout: 30_000, interval: 100 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.#stage[Symbol.asyncDispose]();
  }
}
