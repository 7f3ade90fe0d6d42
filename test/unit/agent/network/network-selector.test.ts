import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { NetworkSelector } from '../../../../src/agent/network/network-selector.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { JobNetwork, ProbeTargets } from '../../../../src/domain/jobs-network.ts';
import { JobFolders } from '../../../../src/function/job-files.ts';
import { logInto } from '../../../support/log/log-into.ts';
import { Bench, MISSING, NODE } from '../../../support/runtime-process/fixture.ts';

const LOOPBACK = '127.0.0.1';
/** Images of others, in which probes run as well. */
const OTHER = 'sharedcloud/other:latest';
const THIRD = 'sharedcloud/third:latest';

/** A network whose probeTargets, clock and engine the test has in its hand; probes are real processes on the loopback. */
function staged(wanted: JobNetwork = 'isolated') {
  const bench = new Bench();
  const directory = mkdtempSync(join(tmpdir(), 'job-networks-'));
  const detach = new AbortController();
  onTestFinished(() => {
    detach.abort();
    rmSync(directory, { recursive: true, force: true });
  });
  const stage = {
    probeTargets: { refused: [{ host: LOOPBACK, port: 1 }], silent: [] } as ProbeTargets,
    trouble: undefined as AgentError | undefined,
    now: 0,
    probes: 0,
    /** Called in the middle of each proof, as its probe is made. */
    atProbe: (): void => undefined,
    engineGoes: (): void => undefined,
    said: new Array<string>(),
    /** How many engines are watched no longer: proofs that have failed, or have been replaced. */
    unwatched: 0,
  };
  const { runtime } = bench;
  const create = runtime.create.bind(runtime);
  runtime.create = async (plan) => {
    stage.probes += 1;
    stage.atProbe();
    expect(plan.network).toBe('isolated');
    return create({ ...plan, image: plan.image === MISSING ? MISSING : NODE });
  };
  const networks = new NetworkSelector({
    wanted,
    isolated: {
      probeTargets: () =>
        stage.trouble === undefined ? Promise.resolve(stage.probeTargets) : Promise.reject(stage.trouble),
      watchEngine: (signal) => {
        signal.addEventListener('abort', () => {
          stage.unwatched += 1;
        });
        const { promise, resolve } = Promise.withResolvers<void>();
        stage.engineGoes = resolve;
        return Promise.resolve({ gone: promise });
      },
    },
    runtime,
    files: new JobFolders(join(directory, 'jobs')),
    clock: { now: () => stage.now, monotonic: () => stage.now },
    random: Math.random,
    log: logInto(stage.said),
    detach: detach.signal,
  });
  const ask = (id = NODE): Promise<JobNetwork> => networks.networkFor({ id, runtime: 'node24' });
  return { stage, ask };
}

/** A port of the loopback that answers. */
async function openPort(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('the network that a job gets', () => {
  test.each(['none', 'bridge'] as const)('is %s where the owner says so, unprobed', async (wanted) => {
    const { ask, stage } = staged(wanted);
    expect(await ask()).toBe(wanted);
    expect(await ask()).toBe(wanted);
    expect(stage.probes).toBe(0);
    // Once, and only where it opens something.
    expect(stage.said.map((line) => line.includes('this host'))).toEqual(wanted === 'bridge' ? [true] : []);
  });

  test('is the isolated one once a probe has proved it, for all jobs at once', async () => {
    const { ask, stage } = staged();
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['isolated', 'isolated', 'isolated']);
    expect(stage.probes).toBe(1);
    expect(stage.said.join('')).toContain('proved');
  });

  test('is proved again after ten minutes, after the engine has gone, and where its rules have changed', async () => {
    const { ask, stage } = staged();
    await ask();
    stage.now = 299_000;
    await ask();
    expect(stage.probes).toBe(1);
    stage.now = 901_000;
    await ask();
    expect(stage.probes).toBe(2);
    stage.engineGoes();
    await ask();
    expect(stage.probes).toBe(3);
    stage.probeTargets = { refused: [{ host: LOOPBACK, port: 2 }], silent: [] };
    await ask();
    expect(stage.probes).toBe(4);
  });

  test('is proved anew in its second half, while nobody waits', async () => {
    const { ask, stage } = staged();
    await ask();
    stage.now = 599_000;
    // Were it waited for, the new proof would be against it.
    stage.probeTargets = { ...stage.probeTargets, silent: [{ host: LOOPBACK, port: await openPort() }] };
    expect(await ask()).toBe('isolated');
    await vi.waitFor(async () => expect(await ask()).toBe('none'), { timeout: 15_000 });
  });

  test('is proved anew where the engine went while it was being proved', async () => {
    const { ask, stage } = staged();
    stage.atProbe = () => {
      if (stage.probes === 1) stage.engineGoes();
    };
    expect(await ask()).toBe('isolated');
    expect(stage.probes).toBe(2);
  });

  test('is none where a probe reaches what it must not, said once, and tried again a minute later', async () => {
    const { ask, stage } = staged();
    const port = await openPort();
    const good = stage.probeTargets;
    stage.probeTargets = { ...good, silent: [{ host: LOOPBACK, port }] };
    expect(await ask()).toBe('none');
    expect(await ask()).toBe('none');
    expect(stage.probes).toBe(1);
    const warnings = stage.said.filter((line) => line.includes('"warn"'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('network up');
    stage.probeTargets = good;
    stage.now = 61_000;
    expect(await ask()).toBe('isolated');
  });

  test('is none where there is no such network, without a probe', async () => {
    const { ask, stage } = staged();
    stage.trouble = new AgentError('NETWORK_NOT_READY', 'it is not there', { hint: 'make it' });
    expect(await ask()).toBe('none');
    expect(stage.probes).toBe(0);
    stage.trouble = undefined;
    expect(await ask()).toBe('isolated');
  });

  test('is not lost to others by an image in which no probe runs', async () => {
    const { ask } = staged();
    expect(await ask(MISSING)).toBe('none');
    expect(await ask(NODE)).toBe('isolated');
  });

  test('is not lost to a job that waits for the proof of an image in which no probe runs', async () => {
    const { ask, stage } = staged();
    expect(await Promise.all([ask(MISSING), ask(NODE), ask(NODE)])).toEqual(['none', 'isolated', 'isolated']);
    expect(stage.probes).toBe(2);
  });

  test('stays proved where another image fails to prove it anew', async () => {
    const { ask, stage } = staged();
    await ask(NODE);
    stage.now = 400_000;
    expect(await ask(MISSING)).toBe('isolated');
    await vi.waitFor(() => expect(stage.unwatched).toBe(1), { timeout: 15_000 });
    expect(await ask(MISSING)).toBe('isolated');
    // Neither the proof nor the wait of the image that failed is touched: nothing is tried again.
    expect(stage.probes).toBe(2);
  });

  test('is none for the image alone that finds it open, and for all once a second one does too', async () => {
    const { ask, stage } = staged();
    await ask(NODE);
    stage.now = 400_000;
    stage.probeTargets = { ...stage.probeTargets, silent: [{ host: LOOPBACK, port: await openPort() }] };
    expect(await ask(NODE)).toBe('isolated');
    await vi.waitFor(async () => expect(await ask(NODE)).toBe('none'), { timeout: 15_000 });
    expect(await ask(OTHER)).toBe('isolated');
    await vi.waitFor(async () => expect(await ask(THIRD)).toBe('none'), { timeout: 15_000 });
  });

  test('is tried less and less often by an image that proves nothing, and at once by it where the rules are others', async () => {
    const { ask, stage } = staged();
    const port = await openPort();
    const good = stage.probeTargets;
    stage.probeTargets = { ...good, silent: [{ host: LOOPBACK, port }] };
    const tries: number[] = [];
    for (let minute = 0; minute <= 61; minute += 1) {
      stage.now = minute * 60_000;
      const before = stage.probes;
      await ask();
      if (stage.probes > before) tries.push(minute);
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 61]);
    stage.probeTargets = { refused: [{ host: LOOPBACK, port: 2 }], silent: [] };
    expect(await ask()).toBe('isolated');
  });
});
