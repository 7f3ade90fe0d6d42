import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { type OpenAgent, openAgent } from '../../../src/compose.ts';
import { ask } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import type { Gpu } from '../../../src/domain/gpu.ts';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import type { InstanceRow, JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { Redactor } from '../../../src/lib/redactor.ts';
import { ManualSampler } from '../agent/manual-sampler.ts';
import { load } from '../config/load.ts';
import { aGpu, CPU_IMAGE } from '../domain.ts';
import { logInto } from '../log/log-into.ts';
import type { Site } from './test-browser.ts';
import type { View } from './view.ts';

const TOKEN = 'token-that-no-page-may-show';

/** What a host has, beside one GPU. */
export type HostChoices = {
  readonly gpus?: readonly Gpu[];
  /** Options as environment variables: `SHAREDCLOUD_ASK_PRICE`. */
  readonly env?: Readonly<Record<string, string>>;
};

/** What a buyer orders. */
export type Order = {
  /** A function of Node.js by the name `handler`. */
  readonly code: string;
  /** A Python literal, a tuple of tuples. */
  readonly parameters?: string;
  readonly name?: string;
  readonly bid?: number;
  readonly image?: string;
};

/**
 * A host with a broker, a state directory and an agent in this process, as `start` builds it, that serves its page: all
 * is real but for GPUs, whose figures a test gives, and jobs, which are local processes.
 */
export class PageHost implements Site {
  readonly origin: string;
  readonly broker: EmbeddedBroker;
  /** The figures of its GPUs: `samples.give(aSample({ uuid: 'GPU-1', powerW: 100 }))`. */
  readonly samples = new ManualSampler();
  /** Every line that its agents logged, as JSON. */
  readonly log: string[] = [];
  readonly stateDir: string;
  readonly #gpus: readonly Gpu[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #runtime: ProcessRuntime;
  #running: { readonly opened: OpenAgent; readonly ended: Promise<void> } | undefined;

  private constructor(
    parts: Pick<PageHost, 'origin' | 'broker' | 'stateDir'>,
    more: { readonly gpus: readonly Gpu[]; readonly env: Readonly<Record<string, string>> },
    runtime: ProcessRuntime,
  ) {
    this.origin = parts.origin;
    this.broker = parts.broker;
    this.stateDir = parts.stateDir;
    this.#gpus = more.gpus;
    this.#env = more.env;
    this.#runtime = runtime;
  }

  /** Opens a host whose agent works; it ends with the test. */
  static async open({ env = {}, gpus = [aGpu()] }: HostChoices = {}): Promise<PageHost> {
    await using opened = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'page-host-'));
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    const broker = new EmbeddedBroker({ token: TOKEN, leaseSeconds: 60, leaveOutUnwinnable: false });
    const brokerUrl = await broker.listen();
    opened.defer(() => broker.close());
    const workDir = join(directory, 'processes');
    await mkdir(workDir);
    await writeFile(join(directory, 'token'), TOKEN, { mode: 0o600 });
    const runtime = new ProcessRuntime({
      interpreters: { [CPU_IMAGE]: [process.execPath, '-e'] },
      brokerUrl,
      embeddedBrokerUrl: brokerUrl,
      workDir,
      path: process.env['PATH'] ?? '',
      clock: systemClock,
    });
    opened.use(runtime);
    const listen = `127.0.0.1:${await freePort()}`;
    const stateDir = join(directory, 'state');
    const all = {
      SHAREDCLOUD_BROKER_URL: brokerUrl,
      SHAREDCLOUD_TOKEN_FILE: join(directory, 'token'),
      SHAREDCLOUD_ASK_PRICE: '0.1',
      SHAREDCLOUD_STATE_DIR: stateDir,
      SHAREDCLOUD_IMAGES: 'sharedcloud/*',
      SHAREDCLOUD_MIN_FREE_DISK: '0 B',
      SHAREDCLOUD_POLL_INTERVAL: '200ms',
      SHAREDCLOUD_JOB_NETWORK: 'none',
      SHAREDCLOUD_LISTEN: listen,
      ...env,
    };
    const host = new PageHost({ origin: `http://${listen}`, broker, stateDir }, { gpus, env: all }, runtime);
    opened.defer(() => host.stopAgent());
    await host.startAgent();
    const kept = opened.move();
    onTestFinished(() => kept.disposeAsync());
    return host;
  }

  /** Starts the agent, again on the same port and state directory. */
  async startAgent(): Promise<void> {
    const opened = await openAgent(
      {
        loaded: await load({ env: this.#env, needsAsk: true }),
        log: logInto(this.log),
        redactor: new Redactor(),
        clock: systemClock,
        uid: process.getuid?.() ?? 0,
      },
      { once: false, onProgress: () => undefined },
      {
        runtime: () => this.#runtime,
        probe: { read: () => Promise.resolve({ gpus: this.#gpus, notices: [] }) },
        samples: this.samples,
      },
    );
    const ended = opened.agent.run();
    this.#running = { opened, ended };
    await opened.answer('0.0.0', () => 'works');
  }

  /** Ends the agent as the end of its process would; its jobs run on. */
  async stopAgent(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.opened.agent.stop();
    await running?.ended;
    await running?.opened.close();
  }

  /** Follows a link as `sharedcloud-agent page` prints it. */
  async signIn({ page }: View): Promise<void> {
    const { url } = await this.link();
    await page.goto(url);
    // Only then a reload finds it.
    await vi.waitFor(
      async () => {
        if (await page.evaluate("localStorage.getItem('sharedcloud-session') === null"))
          throw new Error('the link has not signed in');
      },
      { timeout: 20_000, interval: 20 },
    );
  }

  /** A new link into the page. */
  async link({ readOnly = false } = {}): Promise<{ readonly url: string }> {
    const asked = await ask(
      this.stateDir,
      ENDPOINTS.pageLink,
      { body: { readOnly }, caller: 'a test' },
      5_000,
    );
    if (asked.kind !== 'answer') throw new Error(`the control socket is ${asked.kind}`);
    return asked.answer;
  }

  /** Puts a run for GPUs on the market; returns its uuid. */
  addRun({ bid = 0.5, code, image = CPU_IMAGE, name = 'sample', parameters = '((),)' }: Order): string {
    const { store } = this.broker;
    const uuid = store.addImage({ registryPath: image, requiresGpu: true, runtime: 'node24' });
    const fn = store.addFunction({ name, code, image: uuid });
    return store.addRun({ function: fn, parameters, bidPrice: bid });
  }

  /** The jobs of a run, as the broker has them. */
  jobsOf(run: string): readonly JobRow[] {
    return this.broker.store.jobsOf(run);
  }

  /** What the agent offers, as the broker has it. */
  offers(): readonly InstanceRow[] {
    return this.broker.store.instances.all();
  }
}

/** A port that stays free until it is used: Linux gives none of this range to those that ask for any. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
