import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { aborted } from '../../../src/lib/deadline.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { aGpu } from '../../support/domain.ts';
import { faults } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const KILLS_ITSELF = `function handler() { process.exit(137) }`;
const QUICK = `function handler(event) { return event[0] }`;
const TEN_MINUTES = 600_000;

const broken = (why: string): AgentError => new AgentError('RUNTIME_FAILED', why, { hint: 'repair it' });
const cannotStart = (): Partial<Runtime> => ({
  start: () => Promise.reject(broken('docker-init: not found')),
});

/** A runtime on which jobs fail at one step, but for internal jobs. */
const failing: Readonly<Record<string, (runtime: Runtime) => Partial<Runtime>>> = {
  'cannot be created': () => ({ create: () => Promise.reject(broken('no space left on device')) }),
  'cannot be started': cannotStart,
  'have output that cannot be read': () => ({ follow: () => Promise.reject(broken('no log')) }),
  'are stopped through the engine by another program': (runtime) => ({
    wait: async (id, signal) => ({ ...(await runtime.wait(id, signal)), code: 137, exitOrigin: 'external' }),
  }),
  'are killed by another program that leaves no trace': (runtime) => ({
    wait: async (id, signal) => ({ ...(await runtime.wait(id, signal)), code: 137, exitOrigin: 'job' }),
    follow: () => Promise.resolve(),
  }),
};

/** How many jobs an agent claims within ten minutes of its first claim. */
async function claimsOfTenMinutes(
  env: TestEnv,
  slots: number,
  fails: (runtime: Runtime) => Partial<Runtime>,
): Promise<number> {
  const claims: number[] = [];
  env.broker.store.onEvent(({ kind }) => void (kind === 'claimed' && claims.push(env.time.waitedMs)));
  const settings = { pollIntervalMs: 10_000 };
  await using _ = await env.start({ slots, settings, runtime: (_, real) => withOther(real, fails(real)) });
  const passed = (): boolean => env.time.waitedMs - (claims[0] ?? env.time.waitedMs) > TEN_MINUTES;
  await env.time.passUntil(passed, 150);
  return claims.filter((at) => at - (claims[0] ?? 0) <= TEN_MINUTES).length;
}

describe('a host on which jobs', () => {
  test.each(Object.entries(failing))(
    '%s claims at most five of many runs in ten minutes',
    async (_, fails) => {
      await using env = await TestEnv.open();
      for (let run = 0; run < 12; run += 1) env.addRun(QUICK, '((1,), (2,))');
      const claims = await claimsOfTenMinutes(env, 8, fails);
      expect(claims).toBeGreaterThan(2);
      expect(claims).toBeLessThanOrEqual(5);
      const [opened] = logged(env.log, 'engine-breaker-opened');
      expect(opened).toMatchObject({ code: 'RUNTIME_FAILED' });
      expect(opened?.['hint']).toEqual(expect.any(String));
    },
  );

  test.each([1, 2])('fail all claims at most five in ten minutes of a market of %d runs', async (runs) => {
    await using env = await TestEnv.open();
    for (let run = 0; run < runs; run += 1) env.addRun(QUICK, `(${'(1,),'.repeat(20)})`);
    expect(await claimsOfTenMinutes(env, 4, cannotStart)).toBeLessThanOrEqual(5);
  });
});

test('jobs of two runs that end as if they were killed do not stop claims', async () => {
  await using env = await TestEnv.open();
  const runs = [1, 2].map(() => env.addRun(KILLS_ITSELF, '((1,), (2,), (3,))'));
  await using _ = await env.start({ slots: 4 });
  await env.until(() => {
    const statuses = runs.flatMap((run) => env.jobsOf(run).map(({ status }) => status));
    expect(statuses).toEqual(statuses.map(() => JOB_STATUS.FAILED));
  });
  expect(env.count('job-released')).toBeGreaterThan(2);
  expect(env.count('engine-breaker-opened')).toBe(0);
});

/** An engine whose test containers fail while `isBroken`. */
class Engine {
  isBroken = false;
  tests = 0;

  before(runtime: Runtime): Runtime {
    return withOther(runtime, {
      testImage: () => {
        this.tests += 1;
        return this.isBroken ? Promise.reject(broken('runc: not found')) : Promise.resolve(undefined);
      },
      create: (plan) => (this.isBroken ? Promise.reject(broken('runc: not found')) : runtime.create(plan)),
    });
  }
}

describe('before the first test container has passed', () => {
  test('nothing is offered or claimed; that is logged with what to do, and the next one lets jobs in', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    engine.isBroken = true;
    const run = env.addRun(QUICK, '((1,),)');
    await using _agent = await env.start({ runtime: (_, real) => engine.before(real) });
    await env.time.passUntil(() => engine.tests > 2);
    expect(env.count('offer-registered')).toBe(0);
    expect(env.count('job-claimed')).toBe(0);
    const [failed] = logged(env.log, 'test-container-failed');
    expect(failed).toMatchObject({ code: 'RUNTIME_FAILED', hint: 'repair it' });
    expect(logged(env.log, 'claiming-paused')).toMatchObject([
      { blockedBy: ['containers'], hint: 'repair it' },
    ]);
    engine.isBroken = false;
    await env.untilDone(run);
  });

  test('with any of the GPUs, health says why nothing is offered', async () => {
    await using env = await TestEnv.open();
    const gpu = aGpu();
    const offer = cpuOffer(1);
    let tests = 0;
    await using agent = await env.start({
      gpus: [gpu],
      offers: [{ ...offer, slots: offer.slots.map((slot) => ({ ...slot, gpu: gpu.uuid })) }],
      runtime: (_, real) =>
        withOther(real, {
          // The first one is without a GPU.
          testImage: () => {
            tests += 1;
            return tests === 1 ? Promise.resolve(undefined) : Promise.reject(broken('no such hook'));
          },
        }),
    });
    await env.time.passUntil(() => tests > 2);
    expect(agent.agent.problem()).toMatchObject({ why: expect.stringContaining('no such hook') as unknown });
    expect(env.count('offer-registered')).toBe(0);
  });

  test('the kernel log is followed all the same, for the jobs that were adopted', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    engine.isBroken = true;
    let followed = 0;
    const follow = (_: unknown, signal: AbortSignal): Promise<void> => {
      followed += 1;
      return aborted(signal);
    };
    await using _agent = await env.start({
      runtime: (_, real) => engine.before(real),
      gpus: [aGpu()],
      kernelLog: { follow },
    });
    await env.time.passUntil(() => followed > 0);
    expect(env.count('offer-registered')).toBe(0);
  });

  test('an agent with --once ends with the reason after a while', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    engine.isBroken = true;
    env.addRun(QUICK, '((1,),)');
    await using agent = await env.open({ runtime: (_, real) => engine.before(real) });
    await expect(agent.run()).rejects.toMatchObject({ code: 'RUNTIME_FAILED', hint: 'repair it' });
    expect(env.count('job-claimed')).toBe(0);
  });
});

describe('an engine that can run no jobs any more', () => {
  test('takes the offers off the market until a test container passes; then one job goes first', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    const done = env.addRun(QUICK, '((1,),)');
    await using _agent = await env.start({ runtime: (_, real) => engine.before(real), slots: 4 });
    await env.untilDone(done);
    engine.isBroken = true;
    const runs = [1, 2, 3, 4].map(() => env.addRun(QUICK, '((1,), (2,))'));
    await env.untilEvent('test-container-failed');
    await env.untilEvent('offer-deregistered');
    const isOnMarket = (): boolean => env.broker.store.instances.all().some(({ available }) => available);
    await env.until(() => expect(isOnMarket()).toBe(false));
    const claims = env.count('job-claimed');
    await env.time.pass(120_000);
    expect(env.count('job-claimed')).toBe(claims);
    engine.isBroken = false;
    for (const run of runs) await env.untilDone(run);
    expect(isOnMarket()).toBe(true);
  });
});

test.each([
  ['a 500, for longer than one call is repeated', faults.serverError, 200_000],
  ['a refusal', faults.answer(400, '{"detail": "Not now."}'), 10_000],
])('an offer that the broker answers with %s goes on the market again all the same', async (_, fault, ms) => {
  await using env = await TestEnv.open();
  const engine = new Engine();
  const done = env.addRun(QUICK, '((1,),)');
  await using _agent = await env.start({ runtime: (__, real) => engine.before(real) });
  await env.untilDone(done);
  engine.isBroken = true;
  const run = env.addRun(QUICK, '((1,), (2,))');
  await env.untilEvent('offer-deregistered');
  env.proxy.plan = ({ path }) => (path.endsWith('/start/') ? fault : undefined);
  engine.isBroken = false;
  await env.untilLogged('offer-registration-failed');
  await env.time.pass(ms);
  env.proxy.plan = () => undefined;
  await env.untilDone(run);
  const { instances } = env.broker.store;
  await env.until(() => expect(instances.all()).toMatchObject([{ available: true }]));
});

test('jobs side by side need no success once one has gone well, and at first only a second', async () => {
  await using env = await TestEnv.open();
  const gates = [1, 2, 3].map(() => new Gate(env.directory));
  for (const gate of gates) env.addRun(GATED, gate.parameters());
  await using _agent = await env.start({ slots: 3 });
  await env.until(() => expect(env.count('job-started')).toBe(3));
  for (const gate of gates) gate.open();
  await env.until(() => expect(env.count('job-ended')).toBe(3));
});
