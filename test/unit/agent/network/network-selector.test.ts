import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
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

/** A network whose targets, clock and engine a test controls; probes are real processes on the loopback. */
function selecting(wanted: JobNetwork = 'isolated') {
  const bench = new Bench();
  const directory = mkdtempSync(join(tmpdir(), 'job-networks-'));
  const detach = new AbortController();
  onTestFinished(() => {
    detach.abort();
    rmSync(directory, { recursive: true, force: true });
  });
  const scenario = {
    probeTargets: { refused: [{ host: LOOPBACK, port: 1 }], silent: [] } as ProbeTargets,
    trouble: undefined as AgentError | undefined,
    line: undefined as AgentError | { readonly what: string; readonly hint: string } | undefined,
    now: 0,
    probes: 0,
    /** Called in the middle of each probe. */
    atProbe: (): void => undefined,
    engineGoes: (): void => undefined,
    log: new Array<string>(),
    /** Engines that are not watched any more: of probes that failed and of verifications that were replaced. */
    unwatched: 0,
  };
  const { runtime } = bench;
  const create = runtime.create.bind(runtime);
  runtime.create = async (plan) => {
    scenario.probes += 1;
    scenario.atProbe();
    expect(plan.network).toBe('isolated');
    return create({ ...plan, image: plan.image === MISSING ? MISSING : NODE });
  };
  const networks = new NetworkSelector({
    wanted,
    isolated: {
      probeTargets: () =>
        scenario.trouble === undefined
          ? Promise.resolve(scenario.probeTargets)
          : Promise.reject(scenario.trouble),
      lineProblem: () =>
        scenario.line instanceof AgentError ? Promise.reject(scenario.line) : Promise.resolve(scenario.line),
      watchEngine: (signal) => {
        signal.addEventListener('abort', () => {
          scenario.unwatched += 1;
        });
        const { promise, resolve } = Promise.withResolvers<void>();
        scenario.engineGoes = resolve;
        return Promise.resolve({ gone: promise });
      },
    },
    runtime,
    files: new JobFolders(join(directory, 'jobs')),
    resources: () => ({ memoryBytes: 1e8, cpus: 1 }),
    clock: { now: () => scenario.now, monotonic: () => scenario.now },
    random: Math.random,
    log: logInto(scenario.log),
    detach: detach.signal,
  });
  const ask = (id = NODE): Promise<JobNetwork> => networks.networkFor({ id, runtime: 'node24' });
  return { scenario, ask };
}

/** The events of these lines that are about the network. */
function eventsIn(log: readonly string[]): readonly string[] {
  const EVENT = z.object({ event: z.string().optional() });
  return log
    .map((line) => EVENT.parse(JSON.parse(line)).event ?? '')
    .filter((event) => event.startsWith('job-network'));
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
    const { ask, scenario } = selecting(wanted);
    expect(await ask()).toBe(wanted);
    expect(await ask()).toBe(wanted);
    expect(scenario.probes).toBe(0);
    // Once, and only where it opens something.
    expect(eventsIn(scenario.log)).toEqual(wanted === 'bridge' ? ['job-network-open'] : []);
  });

  test('is the isolated one once a probe has verified it, for all jobs at once', async () => {
    const { ask, scenario } = selecting();
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['isolated', 'isolated', 'isolated']);
    expect(scenario.probes).toBe(1);
    expect(eventsIn(scenario.log)).toContain('job-network-verified');
  });

  test('is verified again after ten minutes, after the engine has gone, and where its rules have changed', async () => {
    const { ask, scenario } = selecting();
    await ask();
    scenario.now = 299_000;
    await ask();
    expect(scenario.probes).toBe(1);
    scenario.now = 901_000;
    await ask();
    expect(scenario.probes).toBe(2);
    scenario.engineGoes();
    await ask();
    expect(scenario.probes).toBe(3);
    scenario.probeTargets = { refused: [{ host: LOOPBACK, port: 2 }], silent: [] };
    await ask();
    expect(scenario.probes).toBe(4);
  });

  test('is verified again in the second half of its time, without a job that waits', async () => {
    const { ask, scenario } = selecting();
    await ask();
    scenario.now = 599_000;
    // A job that waited for the new probe would get none.
    scenario.probeTargets = {
      ...scenario.probeTargets,
      silent: [{ host: LOOPBACK, port: await openPort() }],
    };
    expect(await ask()).toBe('isolated');
    await vi.waitFor(async () => expect(await ask()).toBe('none'), { timeout: 15_000 });
  });

  test('is verified again where the engine went during the probe', async () => {
    const { ask, scenario } = selecting();
    scenario.atProbe = () => {
      if (scenario.probes === 1) scenario.engineGoes();
    };
    expect(await ask()).toBe('isolated');
    expect(scenario.probes).toBe(2);
  });

  test('is none where a probe reaches what it must not, logged once, and probed again a minute later', async () => {
    const { ask, scenario } = selecting();
    const port = await openPort();
    const good = scenario.probeTargets;
    scenario.probeTargets = { ...good, silent: [{ host: LOOPBACK, port }] };
    expect(await ask()).toBe('none');
    expect(await ask()).toBe('none');
    expect(scenario.probes).toBe(1);
    expect(eventsIn(scenario.log).filter((event) => event === 'job-network-unverified')).toHaveLength(1);
    scenario.probeTargets = good;
    scenario.now = 61_000;
    expect(await ask()).toBe('isolated');
  });

  test('is none where there is no such network, without a probe', async () => {
    const { ask, scenario } = selecting();
    scenario.trouble = new AgentError('NETWORK_NOT_READY', 'it is not there', { hint: 'make it' });
    expect(await ask()).toBe('none');
    expect(scenario.probes).toBe(0);
    scenario.trouble = undefined;
    expect(await ask()).toBe('isolated');
  });

  test('is not lost to others by an image in which no probe runs', async () => {
    const { ask } = selecting();
    expect(await ask(MISSING)).toBe('none');
    expect(await ask(NODE)).toBe('isolated');
  });

  test('is not lost to a job that waits for the probe of an image in which no probe runs', async () => {
    const { ask, scenario } = selecting();
    expect(await Promise.all([ask(MISSING), ask(NODE), ask(NODE)])).toEqual(['none', 'isolated', 'isolated']);
    expect(scenario.probes).toBe(2);
  });

  test('stays verified where another image fails to verify it again', async () => {
    const { ask, scenario } = selecting();
    await ask(NODE);
    scenario.now = 400_000;
    expect(await ask(MISSING)).toBe('isolated');
    await vi.waitFor(() => expect(scenario.unwatched).toBe(1), { timeout: 15_000 });
    expect(await ask(MISSING)).toBe('isolated');
    // Neither the verification nor the wait of the image that failed changes, so nothing is probed again.
    expect(scenario.probes).toBe(2);
  });

  test('is none for the image alone that finds it open, and for all once a second one does too', async () => {
    const { ask, scenario } = selecting();
    await ask(NODE);
    scenario.now = 400_000;
    scenario.probeTargets = {
      ...scenario.probeTargets,
      silent: [{ host: LOOPBACK, port: await openPort() }],
    };
    expect(await ask(NODE)).toBe('isolated');
    await vi.waitFor(async () => expect(await ask(NODE)).toBe('none'), { timeout: 15_000 });
    expect(await ask(OTHER)).toBe('isolated');
    await vi.waitFor(async () => expect(await ask(THIRD)).toBe('none'), { timeout: 15_000 });
  });

  test('is probed less and less often with an image that verifies nothing, and at once where the rules are others', async () => {
    const { ask, scenario } = selecting();
    const port = await openPort();
    const good = scenario.probeTargets;
    scenario.probeTargets = { ...good, silent: [{ host: LOOPBACK, port }] };
    const tries: number[] = [];
    for (let minute = 0; minute <= 61; minute += 1) {
      scenario.now = minute * 60_000;
      const before = scenario.probes;
      await ask();
      if (scenario.probes > before) tries.push(minute);
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 61]);
    scenario.probeTargets = { refused: [{ host: LOOPBACK, port: 2 }], silent: [] };
    expect(await ask()).toBe('isolated');
  });
});

describe('the rules that protect the owner’s line', () => {
  test('of an older agent are warned of once, and jobs keep the network', async () => {
    const { ask, scenario } = selecting();
    scenario.line = { what: 'port 25 is open', hint: 'network up' };
    expect([await ask(), await ask()]).toEqual(['isolated', 'isolated']);
    const warned = scenario.log.filter((line) => line.includes('"event":"job-line-unprotected"'));
    expect(warned).toHaveLength(1);
  });

  test('that the owner has set and that are not in force keep jobs from the network', async () => {
    const { ask, scenario } = selecting();
    scenario.line = new AgentError('NETWORK_NOT_READY', 'not in force');
    expect(await ask()).toBe('none');
    expect(eventsIn(scenario.log)).toContain('job-network-unverified');
    scenario.line = undefined;
    expect(await ask()).toBe('isolated');
  });
});
