import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess, type Ended } from '../e2e/agent-process.ts';
import { addRun, openScenario } from '../e2e/scenario.ts';
import { PYTHON, type TestEngine } from '../engine/docker.ts';
import { EngineProxy } from '../engine/engine-proxy.ts';

/** A job that prints, waits for `goOn`, prints again, and then ends as its argument says. */
const WAITS_FOR_GO = `
import os, signal, sys, time
def handler(event):
    codes = {'fails at SIGTERM': 1, 'exits at SIGTERM': 0}
    if event[0] in codes:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(codes[event[0]]))
    print('first')
    go = os.path.join(os.environ['SHAREDCLOUD_INPUT'], 'go')
    while not os.path.exists(go):
        time.sleep(0.02)
    print('last')
    if event[0].isdigit():
        os._exit(int(event[0]))
    return 'done'
`;

/** How a job ends that is asked to stop. */
export type AtSigterm = 'fails at SIGTERM' | 'exits at SIGTERM';

type Engine = Pick<TestEngine, 'host' | 'docker'>;

/** A broker, an engine behind a proxy, and agents between them as processes of their own, one after the other. */
export class EngineScenario implements AsyncDisposable {
  readonly engine: Engine;
  readonly proxy: EngineProxy;
  readonly #scenario: Awaited<ReturnType<typeof openScenario>>;
  readonly #words = new Map<string, string[]>();
  #agent: AgentProcess | undefined;

  private constructor(
    engine: Engine,
    proxy: EngineProxy,
    scenario: Awaited<ReturnType<typeof openScenario>>,
  ) {
    this.engine = engine;
    this.proxy = proxy;
    this.#scenario = scenario;
    scenario.broker.store.onEvent((event) => {
      if (!('job' in event)) return;
      const { status, uuid } = event.job;
      const name = Object.entries(JOB_STATUS).find(([, value]) => value === status)?.[0];
      const word = event.kind === 'reported' ? `reported ${name}` : event.kind;
      this.#words.set(uuid, [...this.words(uuid), word]);
    });
  }

  /** No agent is started yet. One CPU slot, unless `env` says otherwise. */
  static async open(engine: Engine, env: Readonly<Record<string, string>> = {}): Promise<EngineScenario> {
    const proxy = await EngineProxy.start(engine.host);
    const scenario = await openScenario(proxy.host, { SHAREDCLOUD_CPU_SLOTS: '1', ...env });
    return new EngineScenario(engine, proxy, scenario);
  }

  /** Where the agents keep what they must not forget. */
  get stateDir(): string {
    return join(this.#scenario.directory, 'state');
  }

  /** Runs a command of the agents' command line to its end. */
  async command(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return new AgentProcess(argv, { ...this.#scenario.env, ...env }).ended;
  }

  /** Starts an agent; `entry` is another than the product's own. */
  startAgent(env: Readonly<Record<string, string>> = {}, entry?: string): AgentProcess {
    this.#agent = new AgentProcess(['start'], { ...this.#scenario.env, ...env }, entry);
    return this.#agent;
  }

  /** Ends the agent; its jobs run on. */
  async stopAgent(): Promise<void> {
    this.#agent?.signal('SIGTERM');
    await this.#agent?.ended;
  }

  /** What is not as it should be, with what the broker has heard and the agent has said so far. */
  #unlike(what: string): Error {
    const words = [...this.#words].map(([job, heard]) => `${job}: ${heard.join(', ')}`).join('\n');
    return new Error(`${what}\n${words}\n${this.#agent?.said ?? ''}`);
  }

  /**
   * Puts one job on the market; `ends` is its exit code, else it returns: also one that fails or `exits at SIGTERM` (with 0),
   * unless it is ended before. Answers its uuid.
   */
  addJob(ends: number | 'returns' | AtSigterm = 'returns', image = PYTHON): string {
    const { broker } = this.#scenario;
    const run = addRun(broker, image, WAITS_FOR_GO, `(('${ends}',),)`);
    return broker.store.jobsOf(run)[0]?.uuid ?? '';
  }

  /** What the broker has heard of a job, in order: `claimed`, `released`, `reported SUCCEEDED` and the like. */
  words(job: string): readonly string[] {
    return this.#words.get(job) ?? [];
  }

  /** The job at the broker. */
  job(uuid: string) {
    return this.#scenario.broker.store.job(uuid);
  }

  /** Waits until the broker has heard this of a job. */
  async hears(job: string, word: string, timeout = 90_000): Promise<void> {
    await vi.waitFor(
      () => {
        if (!this.words(job).includes(word)) throw this.#unlike(`the broker never heard ‘${word}’`);
      },
      { timeout, interval: 50 },
    );
  }

  /** Waits until a job's container runs and has printed; answers its process's id, as the engine sees it. */
  async runs(job: string): Promise<number> {
    return vi.waitFor(
      async () => {
        const [found] = await this.containers(job);
        if (found?.State !== 'running') throw this.#unlike('the job does not run');
        const container = this.engine.docker.getContainer(found.Id);
        if (!String(await container.logs({ stdout: true })).includes('first'))
          throw this.#unlike('the job prints nothing');
        return (await container.inspect()).State.Pid;
      },
      { timeout: 60_000, interval: 100 },
    );
  }

  /** Lets a job go on to its end. */
  async goOn(job: string): Promise<void> {
    await writeFile(join(this.stateDir, 'jobs', job, 'go'), '');
  }

  /** The containers of a job, whatever their state. */
  containers(job: string) {
    const filters = JSON.stringify({ label: [`sharedcloud.job=${job}`] });
    return this.engine.docker.listContainers({ all: true, filters });
  }

  /** Waits until nothing of any job is left on this host: no container, no file. */
  async untilExhausted(): Promise<void> {
    await vi.waitFor(
      async () => {
        const left = await Promise.all([...this.#words.keys()].map((job) => this.containers(job)));
        const names = left.flat().flatMap(({ Names }) => Names);
        const files = await readdir(join(this.#scenario.directory, 'state', 'jobs'));
        if (names.length + files.length > 0) throw this.#unlike(`left: ${[...names, ...files].join(', ')}`);
      },
      { timeout: 30_000, interval: 100 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.#scenario[Symbol.asyncDispose]();
  }
}
