import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { MemoryFacts } from '../../../src/domain/oom.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { NO_MEMORY_FACTS } from '../../support/agent/memory-monitor.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { faults, isJobChange, isRunsPoll } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const QUICK = `function handler(event) { return event[0] }`;

/** The reasons of each pause, as logged. */
const pauses = (env: TestEnv): readonly unknown[] =>
  logged(env.log, 'claiming-paused').map(({ blockedBy }) => blockedBy);

const paused = (env: TestEnv): Promise<void> => env.untilLogged('claiming-paused');

/** That claims were paused and resumed once, and no run was put into backoff for it. */
function expectOnePause(env: TestEnv): void {
  expect(pauses(env)).toHaveLength(1);
  expect(logged(env.log, 'claiming-resumed')).toHaveLength(1);
  expect(env.events.filter((event) => event.kind === 'run-skipped' && event.reason === 'in-backoff')).toEqual(
    [],
  );
}

/** How long the agent had waited by the time of each claim. */
function recordClaims(env: TestEnv): readonly number[] {
  const waits: number[] = [];
  env.broker.store.onEvent(({ kind }) => void (kind === 'claimed' && waits.push(env.time.waitedMs)));
  return waits;
}

/** An engine that can be unreachable: no call that needs it succeeds then. */
class Engine {
  isReachable = true;
  pings = 0;

  before(runtime: Runtime): Runtime {
    const call = async <T>(real: () => Promise<T>): Promise<T> => {
      if (!this.isReachable) throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is unreachable');
      return real();
    };
    return withOther(runtime, {
      ping: (signal) => {
        this.pings += 1;
        return call(() => runtime.ping(signal));
      },
      create: (plan) => call(() => runtime.create(plan)),
      start: (id) => call(() => runtime.start(id)),
      remove: (id) => call(() => runtime.remove(id)),
      list: () => call(() => runtime.list()),
    });
  }
}

describe('while the engine is unreachable', () => {
  test('nothing is claimed; that is logged once; claims resume soon after it is back', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    const first = env.addRun(QUICK, '((1,),)');
    await using agent = await env.start({ runtime: (_, real) => engine.before(real) });
    await env.untilDone(first);
    await env.until(async () => expect(await agent.runtime.list()).toEqual([]));
    engine.isReachable = false;
    // What the engine answered before is too old for a claim.
    await env.time.pass(300);
    const claims = recordClaims(env);
    const second = env.addRun(QUICK, '((2,), (3,), (4,))');
    await paused(env);
    // Another change of the market, which the agent has decided about once it asks for the next.
    const polls = (): number => env.proxy.calls.filter(isRunsPoll).length;
    const before = polls();
    const third = env.addRun(QUICK, '((5,),)');
    await env.until(() => expect(polls()).toBeGreaterThan(before));
    expect(claims).toEqual([]);
    engine.isReachable = true;
    const back = env.time.waitedMs;
    await env.untilDone(second);
    await env.untilDone(third);
    expect((claims[0] ?? 0) - back).toBeLessThan(2_500);
    expectOnePause(env);
    await env.untilLogged('garbage-collected');
  });

  test('a job that was claimed a moment before is released, and claimed again once the engine is back', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    const claims = recordClaims(env);
    const run = env.addRun(QUICK, '((1,),)');
    // The engine becomes unreachable between the claim and the container.
    env.broker.store.onEvent(({ kind }) => {
      if (kind === 'claimed' && pauses(env).length === 0) engine.isReachable = false;
    });
    await using _agent = await env.start({ runtime: (_, real) => engine.before(real) });
    await paused(env);
    engine.isReachable = true;
    const back = env.time.waitedMs;
    await env.untilDone(run);
    expect((claims[1] ?? 0) - back).toBeLessThan(5_000);
    expect(env.count('job-release-queued')).toBe(1);
    expectOnePause(env);
  });

  test('that is noticed while a job runs, although nothing is asked of the engine', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    const gate = new Gate(env.directory);
    const run = env.addRun(GATED, gate.parameters());
    await using _agent = await env.start({ runtime: (_, real) => engine.before(real) });
    await env.untilEvent('job-started');
    engine.isReachable = false;
    await env.time.passUntil(() => pauses(env).length > 0);
    expect(env.count('job-ended')).toBe(0);
    engine.isReachable = true;
    gate.open();
    await env.untilDone(run);
  });

  test('an agent with --once waits for it for a while', async () => {
    await using env = await TestEnv.open();
    const engine = new Engine();
    const run = env.addRun(QUICK, '((2,),)');
    // Unreachable since the offer was registered, long enough to be asked before the first claim.
    env.proxy.plan = ({ path }) => {
      if (!path.endsWith('/start/')) return undefined;
      engine.isReachable = false;
      return faults.delay(400);
    };
    await using agent = await env.open({ runtime: (_, real) => engine.before(real) });
    const running = agent.run();
    await paused(env);
    const { pings } = engine;
    await env.until(() => expect(engine.pings).toBeGreaterThan(pings + 2));
    engine.isReachable = true;
    await running;
    expect(env.jobsOf(run).map(({ result }) => result)).toEqual(['2']);
  });
});

/** A journal on a disk that can be full: some of its writes fail then. */
function fillable(journal: Journal, fails: (write: string) => boolean): Journal {
  const orFull = <T>(write: string, call: () => T): T => {
    if (fails(write)) throw new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
    return call();
  };
  return withOther(journal, {
    insert: (job) => orFull('insert', () => journal.insert(job)),
    transition: (uuid, state) => orFull(state.name, () => journal.transition(uuid, state)),
    tryWriting: () => orFull('try', () => journal.tryWriting()),
  });
}

describe('while the journal cannot be written', () => {
  test('nothing is claimed, no run is put into backoff, and claims resume within five seconds of there being room', async () => {
    await using env = await TestEnv.open();
    let isFull = true;
    const claims = recordClaims(env);
    const run = env.addRun(QUICK, '((1,), (2,))');
    await using _agent = await env.start({ journal: (real) => fillable(real, () => isFull) });
    await paused(env);
    expect(claims).toEqual([]);
    isFull = false;
    const room = env.time.waitedMs;
    await env.untilDone(run);
    expect((claims[0] ?? 0) - room).toBeLessThan(5_000);
    expectOnePause(env);
  });

  test('a claim that the broker has granted is written down when there is room, and its job is done', async () => {
    await using env = await TestEnv.open();
    let isFull = false;
    env.broker.store.onEvent(({ kind }) => void (kind === 'claimed' && (isFull = true)));
    const run = env.addRun(QUICK, '((1,),)');
    await using _agent = await env.start({ journal: (real) => fillable(real, () => isFull) });
    await paused(env);
    isFull = false;
    await env.untilDone(run);
    expect(env.count('job-claimed')).toBe(1);
  });

  test('a report that was accepted is sent no second time, and is settled when there is room', async () => {
    await using env = await TestEnv.open();
    let isFull = true;
    let failures = 0;
    const { uuid } = env.jobOf(env.addRun(QUICK, '((1,),)'));
    await using agent = await env.start({
      journal: (real) =>
        fillable(real, (write) => {
          const fails = isFull && write === 'reported';
          failures += Number(fails);
          return fails;
        }),
    });
    await env.until(() => expect(failures).toBeGreaterThan(2));
    expect(agent.journal.get(uuid)?.state.name).toBe('finished');
    isFull = false;
    await env.until(() => expect(agent.journal.get(uuid)?.state.name).toBe('reported'));
    // The claim and the report.
    expect(env.proxy.calls.filter(isJobChange)).toHaveLength(2);
  });
});

test('logs what blocks claiming once per change, and claims again when nothing does', async () => {
  await using env = await TestEnv.open();
  const why: { disk: string | undefined; memory: string | undefined } = {
    disk: 'no room (1)',
    memory: undefined,
  };
  const run = env.addRun(QUICK, '((1,),)');
  await using _agent = await env.start({
    admissionChecks: [
      { name: 'disk', why: () => why.disk },
      { name: 'memory', why: () => why.memory },
    ],
  });
  await env.until(() => expect(pauses(env)).toEqual([['disk']]));
  why.disk = 'no room (2)';
  why.memory = 'no memory';
  await env.until(() => expect(pauses(env)).toEqual([['disk'], ['disk', 'memory']]));
  why.disk = undefined;
  await env.until(() => expect(pauses(env)).toEqual([['disk'], ['disk', 'memory'], ['memory']]));
  expect(env.jobOf(run).status).toBe(JOB_STATUS.CREATED);
  why.memory = undefined;
  await env.untilDone(run);
  expect(pauses(env)).toHaveLength(3);
  expect(logged(env.log, 'claiming-resumed')).toHaveLength(1);
});

test.each<[string, Partial<MemoryFacts>, number]>([
  [
    'the kernel killed for lack of memory: the job goes back to the market',
    { kernelKills: 1 },
    JOB_STATUS.CREATED,
  ],
  ['little memory was available: the job goes back to the market', { wasShort: true }, JOB_STATUS.CREATED],
  [
    'it broke its own limit: the job has failed',
    { kernelKills: 1, unified: true, cgroup: { limitsReached: 1, kills: 1 } },
    JOB_STATUS.FAILED,
  ],
])('a job is killed while %s', async (_, facts, status) => {
  await using env = await TestEnv.open();
  const run = env.addRun(`function handler() { process.kill(process.pid, 'SIGKILL') }`, '((),)');
  const statuses = endsOf(env);
  await using _agent = await env.start({ memory: () => ({ ...NO_MEMORY_FACTS, ...facts }) });
  await env.until(() => expect(statuses[0]).toBe(status));
  expect(env.jobsOf(run)).toHaveLength(1);
});

test('a job that is killed again and again, by nobody knows whom, goes back twice and has failed then', async () => {
  await using env = await TestEnv.open();
  env.addRun(`function handler() { process.kill(process.pid, 'SIGKILL') }`, '((),)');
  const statuses = endsOf(env);
  await using _agent = await env.start();
  await env.until(() =>
    expect(statuses).toEqual([JOB_STATUS.CREATED, JOB_STATUS.CREATED, JOB_STATUS.FAILED]),
  );
});

/** The status of each job that the broker hears the end of, in order. */
function endsOf(env: TestEnv): readonly number[] {
  const statuses: number[] = [];
  env.broker.store.onEvent((event) => {
    if (event.kind === 'released' || event.kind === 'reported') statuses.push(event.job.status);
  });
  return statuses;
}
