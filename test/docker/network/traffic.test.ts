import { afterAll, beforeAll, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { JobNetwork } from '../../../src/domain/jobs-network.ts';
import type { ContainerNetworkUse } from '../../../src/domain/network-use.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';
import { NODE_COMMAND, NODE_IMAGE } from '../../support/network/attack.ts';
import { describeHost } from '../../support/network/describe.ts';
import { OUTSIDE, TestHost } from '../../support/network/host.ts';

const MB = 1_000_000;
/** Headers, retransmissions and the hellos of a connection, as a part of what is sent. */
const OVERHEAD = 1.5;
const SOON = { timeout: 30_000, interval: 200 };

describeHost('the traffic of a job', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await TestHost.open();
    host.importImage('node', NODE_IMAGE, NODE_COMMAND);
    await host.up();
    await host.serveBytes(9100);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  /** Sends so many bytes to the internet, receives so many, and then ends after so many milliseconds. */
  const program = (sent: number, received: number, afterMs = 0): string => `
    const socket = require('net').connect(9100, '${OUTSIDE.internet}', () => {
      socket.write('${received}\\n');
      socket.write(Buffer.alloc(${sent}));
      socket.write('.');
    });
    let left = ${received} + 1;
    socket.on('data', (bytes) => {
      left -= bytes.length;
      if (left <= 0) setTimeout(() => process.exit(0), ${afterMs});
    });`;

  const start = async (code: string, network: JobNetwork = 'isolated', sysfs = host.sysfs) => {
    const at = testRuntime(host.dockerHost, { sysfs });
    const engine = { host: host.dockerHost, docker: host.docker, standInDir: undefined };
    const job = await TestJob.create(engine, at, code, { image: NODE_IMAGE, network });
    return { at, job };
  };
  const run = async (code: string, network?: JobNetwork): Promise<ContainerNetworkUse | undefined> => {
    const { at, job } = await start(code, network);
    await using ran = job;
    expect((await ran.run()).exit.code).toBe(0);
    return await at.runtime.networkUse(ran.id, 'last');
  };

  test('is known to the last byte of a job that ends at once', async () => {
    const use = await run(program(5 * MB, 3 * MB));
    expect(use?.address).toMatch(/^172\.18\.0\.\d+$/);
    const { receivedBytes = 0, sentBytes = 0 } = use?.traffic ?? {};
    expect(sentBytes).toBeGreaterThan(5 * MB);
    expect(sentBytes).toBeLessThan(5 * MB * OVERHEAD);
    expect(receivedBytes).toBeGreaterThan(3 * MB);
    expect(receivedBytes).toBeLessThan(3 * MB * OVERHEAD);
  });

  test('is each job’s own, also of jobs that run at once', async () => {
    const uses = await Promise.all([1, 4].map((times) => run(program(times * MB, 0))));
    const sent = uses.map((use) => use?.traffic?.sentBytes ?? 0);
    expect(sent[0]).toBeLessThan(2 * MB);
    expect(sent[1]).toBeGreaterThan(4 * MB);
    expect(uses[0]?.address).not.toBe(uses[1]?.address);
  });

  test('is nothing without a network, and next to nothing of a job that sends nothing', async () => {
    const none = { address: null, traffic: { sentBytes: 0, receivedBytes: 0 } };
    expect(await run('process.exit(0)', 'none')).toEqual(none);
    const use = await run('process.exit(0)');
    expect(use?.traffic?.sentBytes).toBeLessThan(1_000);
  });

  test('has an address also of jobs that end at once', async () => {
    const addresses: (string | null | undefined)[] = [];
    for (let pair = 0; pair < 5; pair += 1) {
      const uses = await Promise.all([run('process.exit(0)'), run('process.exit(0)')]);
      addresses.push(...uses.map((use) => use?.address));
    }
    expect(addresses.filter((address) => typeof address !== 'string')).toEqual([]);
  });

  test('goes on to be counted by the next agent', async () => {
    const { at, job } = await start(program(2 * MB, 0, 60_000));
    await using running = job;
    await at.runtime.start(running.id);
    const signal = AbortSignal.timeout(60_000);
    const sentBy = async (runtime: typeof at.runtime): Promise<number> =>
      (await runtime.networkUse(running.id, signal))?.traffic?.sentBytes ?? 0;
    await expect.poll(() => sentBy(at.runtime), SOON).toBeGreaterThan(2 * MB);
    const next = testRuntime(host.dockerHost, { sysfs: host.sysfs, agentId: at.agentId }).runtime;
    expect(await sentBy(next)).toBeGreaterThan(2 * MB);
  });

  test('above the limit ends the job as its own failure, and is in the journal and the log', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const code = `
      exports.handler = () => new Promise(() => {
        const socket = require('net').connect(9100, '${OUTSIDE.internet}', () => {
          const send = () => { while (socket.write(Buffer.alloc(16384))); };
          socket.on('drain', send);
          socket.write('0\\n');
          send();
        });
      });`;
    const run = env.addRun(code, '((),)');
    const opened = await env.open({
      settings: { trafficLimitBytes: 5 * MB },
      isolated: {
        probeTargets: () => Promise.resolve({ refused: [], silent: [] }),
        lineProblem: () => Promise.resolve(undefined),
        watchEngine: () => Promise.resolve({ gone: new Promise<void>(() => undefined) }),
      },
      runtime: (agentId) => testRuntime(host.dockerHost, { agentId, sysfs: host.sysfs }).runtime,
    });
    await opened.agent.run();
    expect(env.broker.store.jobsOf(run)).toMatchObject([{ status: JOB_STATUS.FAILED }]);
    const [record] = opened.journal.history(1);
    const use = record && opened.journal.networkUse(record);
    expect(use?.traffic?.sentBytes).toBeGreaterThan(5 * MB);
    expect(use?.endedAt).not.toBeNull();
    const ended = env.events.find((event) => event.kind === 'job-ended');
    expect(ended?.traffic).toEqual(use?.traffic);
    await opened.close();
  });

  test('is asked of the engine where this process does not see the bridge, and stays known after the end', async () => {
    const { at, job } = await start(program(2 * MB, 0, 60_000), 'isolated', '/nowhere');
    await using running = job;
    await at.runtime.start(running.id);
    const signal = AbortSignal.timeout(60_000);
    await expect
      .poll(async () => (await at.runtime.networkUse(running.id, signal))?.traffic?.sentBytes ?? 0, SOON)
      .toBeGreaterThan(2 * MB);
    await at.runtime.stop(running.id, 0);
    expect((await at.runtime.networkUse(running.id, signal))?.traffic?.sentBytes).toBeGreaterThan(2 * MB);
  });
});
