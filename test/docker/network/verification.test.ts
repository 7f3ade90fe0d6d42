import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NetworkSelector } from '../../../src/agent/network/network-selector.ts';
import type { JobNetwork } from '../../../src/domain/jobs-network.ts';
import type { IsolatedNetwork } from '../../../src/domain/ports/network.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import {
  openIsolatedNetwork,
  openJobsNetwork,
} from '../../../src/runtime/docker/network/isolated-network.ts';
import type { RuleCheck } from '../../../src/runtime/docker/network/rule-check.ts';
import { jobsRules } from '../../../src/runtime/docker/network/rules.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { lineOf, readChecked } from '../../support/cli/checked.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { logInto } from '../../support/log/log-into.ts';
import { NODE_COMMAND, NODE_IMAGE } from '../../support/network/attack.ts';
import { describeHost } from '../../support/network/describe.ts';
import { HOST, OUTSIDE, PORTS, TestHost } from '../../support/network/host.ts';

const DEFAULT_LINE = { blockedPorts: [], bandwidth: undefined };
const PYTHON_IMAGE = 'sharedcloud/python36:latest';
const PYTHON_COMMAND = ['/bin/bash', '-c', 'python3 -c "$CODE"'];

describeHost('the verification of the jobs’ network', () => {
  let host: TestHost;
  let directory: string;
  let isolated: IsolatedNetwork;
  /** The same on a host that cannot tell by itself. */
  let unheard: IsolatedNetwork;
  const said: string[] = [];
  /** Containers of probes. */
  let tried = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'network-verification-'));
    await chmod(directory, 0o755);
    host = await TestHost.open();
    host.importImage('node', NODE_IMAGE, NODE_COMMAND);
    host.importImage('debian', PYTHON_IMAGE, PYTHON_COMMAND);
    const own = (): readonly string[] => [HOST.wan, HOST.lan];
    const opened = {
      engine: { host: host.dockerHost, tls: undefined },
      line: DEFAULT_LINE,
      hostAddresses: own,
    };
    isolated = openIsolatedNetwork({ ...opened, rulesAnswer: hearOnHost });
    unheard = openIsolatedNetwork({ ...opened, rulesAnswer: () => Promise.resolve(true) });
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    said.length = 0;
  });

  /** The agent listens on its own host, which is not that of the test. */
  const hearOnHost: RuleCheck = async (refused) => {
    const module = new URL('../../../src/runtime/docker/network/rule-check.ts', import.meta.url).href;
    const code = `import { checkRules } from ${JSON.stringify(module)};
      console.log(await checkRules(${JSON.stringify(refused)}, new AbortController().signal));`;
    const { stdout } = await host.run([process.execPath, '--input-type=module', '-e', code]);
    return stdout === 'true\n';
  };

  /** An agent's view of it, which has verified nothing yet; disposing lets go of the engine. */
  const open = (
    network = isolated,
  ): Disposable & { ask(runtime?: 'node24' | 'python36'): Promise<JobNetwork> } => {
    const { runtime } = testRuntime(host.dockerHost);
    const create = runtime.create.bind(runtime);
    runtime.create = (plan) => {
      tried += 1;
      return create(plan);
    };
    const detach = new AbortController();
    const files = new JobFolders(join(directory, 'jobs'));
    const networks = new NetworkSelector({
      wanted: 'isolated',
      isolated: network,
      runtime,
      files,
      clock: systemClock,
      resources: () => ({ memoryBytes: 128 * 1024 * 1024, cpus: 1 }),
      random: Math.random,
      log: logInto(said),
      detach: detach.signal,
    });
    return {
      ask: (language = 'node24') =>
        networks.networkFor({ id: language === 'node24' ? NODE_IMAGE : PYTHON_IMAGE, runtime: language }),
      [Symbol.dispose]: () => detach.abort(),
    };
  };
  const askOnce = async (runtime?: 'node24' | 'python36', network = isolated): Promise<JobNetwork> => {
    using networks = open(network);
    return await networks.ask(runtime);
  };
  test('fails where there is no such network, and says how to make it', async () => {
    expect(await askOnce()).toBe('none');
    expect(said.join('')).toContain('"code":"NETWORK_NOT_READY"');
  });

  test('succeeds in Python and in Node.js where it is up, and leaves nothing behind', async () => {
    await host.up();
    expect(await askOnce('python36')).toBe('isolated');
    expect(await askOnce('node24')).toBe('isolated');
    expect(await host.docker.listContainers({ all: true })).toEqual([]);
    expect(await readdir(join(directory, 'jobs'))).toEqual([]);
  });

  test('fails without the rules, and says what a job reaches', async () => {
    expect(await host.withoutRules(() => askOnce('python36', unheard))).toBe('none');
    expect(said.join('')).toContain('172.18.0.1:1');
  });

  test('fails without the rules where a firewall of the owner keeps jobs from this host, but from nothing else', async () => {
    const { metadata, neighbour } = OUTSIDE;
    await host.sh(`iptables -A INPUT -i sharedcloud0 -j DROP
      ip route del ${metadata}; ip route add blackhole ${metadata}`);
    expect(await host.withoutRules(() => askOnce('node24', unheard))).toBe('none');
    expect(said.join('')).toContain('"code":"NETWORK_NOT_READY"');
    await host.sh(`iptables -D INPUT -i sharedcloud0 -j DROP
      ip route del blackhole ${metadata}; ip route add ${metadata} via ${neighbour} dev lan0`);
  });

  test('is not tried where this host does not hear the rules', async () => {
    using networks = open();
    tried = 0;
    expect(await host.withoutRules(() => networks.ask())).toBe('none');
    expect(said.join('')).toContain('"code":"NETWORK_NOT_READY"');
    expect(tried).toBe(0);
    expect(await networks.ask()).toBe('isolated');
    expect(tried).toBe(1);
    // Nor believed any longer, though it was given.
    expect(await host.withoutRules(() => networks.ask())).toBe('none');
  });

  test('fails with the rules of another version, or of another host', async () => {
    const network = await openJobsNetwork({ host: host.dockerHost, tls: undefined }).requireReady();
    const others = jobsRules({ ...network, secret: '0'.repeat(32) });
    await host.withoutRules(async () => {
      await host.sh(`nft -f - <<'RULES'\n${others}\nRULES`);
      expect(await askOnce('node24', unheard)).toBe('none');
      const { stdout } = await host.network('status', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ rules: 'different' });
    });
    expect(said.join('')).toContain('"code":"NETWORK_NOT_READY"');
  });

  test('counts until the engine restarts, and is then made again', async () => {
    using networks = open(unheard);
    expect(await networks.ask()).toBe('isolated');
    await host.withoutRules(async () => {
      expect(await networks.ask()).toBe('isolated');
      await host.endEngine();
      await host.startEngine();
      expect(await networks.ask()).toBe('none');
    });
  });

  test('is tried by `check`, which says what came of it', async () => {
    const main = new URL('../../../src/main.ts', import.meta.url).pathname;
    const options = ['--docker-host', host.dockerHost, '--state-dir', join(directory, 'state'), '--json'];
    const said = async (): Promise<string> => {
      const { stdout } = await host.run([process.execPath, main, 'check', ...options]);
      return lineOf(readChecked(stdout), 'job network');
    };
    expect(await said()).toMatch(/^ok: isolated/);
    expect(await host.withoutRules(said)).toMatch(/^warn: /);
    expect(await host.docker.listContainers({ all: true })).toEqual([]);
  });

  test('gives an agent’s jobs the internet, and nothing else', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const code = `const net = require('net');
      const tcp = (host) => new Promise((resolve) => {
        net.connect({ host, port: ${PORTS.tcp} }).on('connect', () => resolve('open')).on('error', resolve);
        setTimeout(() => resolve('silent'), 2000);
      });
      exports.handler = (event) => Promise.all(event[0].map(tcp));`;
    const run = env.addRun(code, `((['${OUTSIDE.internet}', '${HOST.lan}', '${OUTSIDE.neighbour}'],),)`);
    const opened = await env.open({
      isolated,
      runtime: (agentId) => testRuntime(host.dockerHost, { agentId }).runtime,
    });
    await opened.agent.run();
    await opened.close();
    const [job] = env.broker.store.jobsOf(run);
    expect(job?.result).toBe('["open","silent","silent"]');
  });
});
