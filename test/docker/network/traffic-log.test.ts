import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { NODE_COMMAND, NODE_IMAGE } from '../../support/network/attack.ts';
import { describeHost } from '../../support/network/describe.ts';
import { OUTSIDE, TestHost } from '../../support/network/host.ts';

const FOUND = z.object({
  zone: z.string(),
  zoneAssumed: z.boolean(),
  connections: z.array(
    z.object({
      at: z.iso.datetime(),
      address: z.string(),
      destinationPort: z.number().nullable(),
      outerPort: z.number().nullable(),
      jobs: z.array(
        z.object({
          job: z.string(),
          run: z.string().nullable(),
          function: z.string().nullable(),
          image: z.string().nullable(),
        }),
      ),
    }),
  ),
});

/** Connects to a port of the internet, once. */
const CONNECT = (port: number): string => `
  const net = require('net');
  exports.handler = () => new Promise((resolve, reject) => {
    const socket = net.connect(${port}, '${OUTSIDE.internet}', () => {
      socket.end('0\\n.');
      resolve(socket.localAddress);
    });
    socket.on('error', reject);
  });`;
const NETWORK = {
  probeTargets: () => Promise.resolve({ refused: [], silent: [] }),
  lineProblem: () => Promise.resolve(undefined),
  watchEngine: () => Promise.resolve({ gone: new Promise<void>(() => undefined) }),
};

describeHost('the log of the jobs’ connections', () => {
  let host: TestHost;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'traffic-log-'));
    await chmod(directory, 0o755);
    host = await TestHost.open();
    host.importImage('node', NODE_IMAGE, NODE_COMMAND);
    await host.up();
    for (const port of [9100, 9200]) await host.serveBytes(port);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const find = async (env: TestEnv, log: string, ...more: readonly string[]) => {
    const at = ['--at', new Date().toISOString(), '--within', '10m'];
    const where = ['--state-dir', join(env.directory, 'state'), '--job-traffic-log-dir', log];
    return host.agent('jobs', 'find', '--destination', OUTSIDE.internet, ...at, ...where, ...more);
  };

  test('says which job, run, function and image connected to an address, without a running agent', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const log = join(directory, 'one');
    const runs = [9100, 9200].map((port) => env.addRun(CONNECT(port), '((),)'));
    {
      await using _logging = await host.logConnections(log);
      const opened = await env.open({
        isolated: NETWORK,
        runtime: (agentId) => testRuntime(host.dockerHost, { agentId, sysfs: host.sysfs }).runtime,
      });
      await opened.agent.run();
      await opened.close();
    }
    const jobs = runs.map((run) => env.broker.store.jobsOf(run)[0]);
    expect(jobs).toMatchObject([{ status: JOB_STATUS.SUCCEEDED }, { status: JOB_STATUS.SUCCEEDED }]);

    const { code, stdout, stderr } = await find(env, log, '--port', '9200', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const found = FOUND.parse(JSON.parse(stdout));
    expect(found).toMatchObject({ zone: 'UTC', zoneAssumed: false });
    expect(found.connections).toHaveLength(1);
    expect(found.connections[0]).toMatchObject({ destinationPort: 9200, jobs: [{ run: runs[1] }] });
    expect(JSON.stringify(jobs[1]?.result)).toContain(found.connections[0]?.address);
    const [job] = found.connections[0]?.jobs ?? [];
    expect(job?.job).toBe(jobs[1]?.uuid);
    expect(job?.image).toMatch(/^sha256:|@sha256:/);

    const all = FOUND.parse(JSON.parse((await find(env, log, '--json')).stdout));
    expect(all.connections.map(({ destinationPort }) => destinationPort).toSorted()).toEqual([9100, 9200]);
    const outer = String(found.connections[0]?.outerPort);
    const one = FOUND.parse(JSON.parse((await find(env, log, '--source-port', outer, '--json')).stdout));
    expect(one.connections.every(({ outerPort }) => String(outerPort) === outer)).toBe(true);
    expect((await find(env, log)).stdout).toContain(runs[0]);
    // Nothing of this host's own traffic is kept.
    expect(
      await host.sh(`grep -v ' log ' ${log}/* | cut -d' ' -f3 | grep -vc '^172\\.18\\.0\\.' || true`),
    ).toBe('0\n');
  });

  test('is not there where it is off, and says how to turn it on', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const opened = await env.open({});
    await opened.close();
    const { code, stderr } = await find(env, join(directory, 'none'));
    expect(code).toBe(8);
    expect(stderr).toMatch(/^error TRAFFIC_LOG_UNAVAILABLE: .*\n {2}hint: .*job-traffic-log/);
    expect((await host.agent('network', 'log', '--job-traffic-log', 'off')).code).toBe(0);
  });

  test('cannot be written without conntrack, whose package is named', async () => {
    const hidden = 'mount --bind /dev/null /usr/sbin/conntrack';
    const main = new URL('../../../src/main.ts', import.meta.url).pathname;
    const on = `--job-traffic-log on --job-traffic-log-dir ${directory}/absent`;
    const inside = (command: string) =>
      host.run([
        'unshare',
        '--mount',
        'sh',
        '-c',
        `${hidden}; PATH=/bin ${process.execPath} ${main} ${command}`,
      ]);
    const { code, stderr } = await inside(`network log ${on}`);
    expect(code).toBe(8);
    expect(stderr).toMatch(/error TRAFFIC_LOG_UNAVAILABLE: .*\n {2}hint: .*conntrack/);
    const status = await inside(`network status --json ${on} --docker-host ${host.dockerHost}`);
    expect(JSON.parse(status.stdout)).toMatchObject({ log: { on: true, conntrack: false } });
  });
}, ['/usr/sbin/conntrack']);
