import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { type House, openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { faults, HttpProxy } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const QUICK = `function handler(event) { return event[0] }`;
/** Ends when the file is there that it is given. */
const UNTIL_THERE = `function handler([file]) {
  return new Promise((done) => {
    setInterval(() => require('node:fs').existsSync(file) && done(), 20);
  });
}`;
const DAEMON = { once: false } as const;

const lines = (house: House, words: string): readonly string[] =>
  house.log.filter((line) => line.includes(words));
const PAUSED = '"event":"claiming-paused"';
const RESUMED = '"event":"claiming-resumed"';
/** The reasons of each pause, as logged. */
const pauses = (house: House): readonly unknown[] =>
  logged(house.log, 'claiming-paused').map(({ blockedBy }) => blockedBy);

/** When the broker gave jobs to this host, by the clock of `performance`. */
function claimTimes(house: House): readonly number[] {
  const times: number[] = [];
  house.broker.store.onEvent((event) => void (event.kind === 'claimed' && times.push(performance.now())));
  return times;
}

const done = (house: House, run: string): Promise<void> =>
  vi.waitFor(
    () => {
      const statuses = house.broker.store.jobsOf(run).map(({ status }) => status);
      expect(statuses).toEqual(statuses.map(() => JOB_STATUS.SUCCEEDED));
    },
    { timeout: 12_000, interval: 20 },
  );

const held = (house: House): Promise<void> =>
  vi.waitFor(() => expect(lines(house, PAUSED)).not.toEqual([]), { timeout: 10_000, interval: 20 });

/** What a runtime's engine is up to, and what it was asked. */
type Engine = { away: boolean; pings: number; heardAt: number };

const anEngine = (): Engine => ({ away: false, pings: 0, heardAt: 0 });

/** A runtime whose engine can be away: no call that needs it is answered then. */
function awayable(runtime: Runtime, engine: Engine): Runtime {
  const orAway = async <T>(call: () => Promise<T>): Promise<T> => {
    if (engine.away) throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is away');
    const answer = await call();
    engine.heardAt = performance.now();
    return answer;
  };
  return withOther(runtime, {
    ping: (signal) => {
      engine.pings += 1;
      return orAway(() => runtime.ping(signal));
    },
    create: (plan) => orAway(() => runtime.create(plan)),
    start: (id) => orAway(() => runtime.start(id)),
    remove: (id) => orAway(() => runtime.remove(id)),
    list: () => orAway(() => runtime.list()),
  });
}

describe('while the engine is away', () => {
  test('nothing is claimed; it is told once; claims go on soon after its return', async () => {
    await using house = await openHouse();
    await using front = await HttpProxy.open(house.url);
    const engine = anEngine();
    const first = house.addRun(QUICK, '((1,),)');
    const opened = await house.open({
      url: front.url,
      settings: DAEMON,
      runtime: (_, real) => awayable(real, engine),
    });
    const running = opened.agent.run();
    await done(house, first);
    await vi.waitFor(async () => expect(await opened.runtime.list()).toEqual([]));
    engine.away = true;
    // Nothing runs, so nobody asks after it; only a claim will.
    await vi.waitFor(() => expect(performance.now() - engine.heardAt).toBeGreaterThan(300), 5_000);
    const claims = claimTimes(house);
    const second = house.addRun(QUICK, '((2,), (3,), (4,))');
    await held(house);
    // Another change of the market, which the agent has decided about once it asks for the next.
    const asked = (): number => front.calls.filter(({ path }) => path.endsWith('/runs')).length;
    const before = asked();
    const third = house.addRun(QUICK, '((5,),)');
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(before), 10_000);
    expect(claims).toEqual([]);
    engine.away = false;
    const back = performance.now();
    await done(house, second);
    await done(house, third);
    expect((claims[0] ?? 0) - back).toBeLessThan(2_500);
    expect(lines(house, PAUSED)).toHaveLength(1);
    expect(lines(house, RESUMED)).toHaveLength(1);
    expect(lines(house, 'in-backoff')).toEqual([]);
    await vi.waitFor(() => expect(lines(house, 'garbage-collected')).not.toEqual([]));
    await opened.agent.stop();
    await running;
    await opened.close();
  });

  test('a job that was claimed a moment before goes back, and its run is taken as soon as the engine is back', async () => {
    await using house = await openHouse();
    const engine = anEngine();
    const run = house.addRun(QUICK, '((1,),)');
    // The engine goes away between the claim and the container.
    house.broker.store.onEvent((event) => {
      if (event.kind === 'claimed' && lines(house, PAUSED).length === 0) engine.away = true;
    });
    const opened = await house.open({ settings: DAEMON, runtime: (_, real) => awayable(real, engine) });
    const running = opened.agent.run();
    await held(house);
    engine.away = false;
    const back = performance.now();
    await done(house, run);
    expect(performance.now() - back).toBeLessThan(5_000);
    expect(house.events.filter(({ kind }) => kind === 'job-release-queued')).toHaveLength(1);
    expect(lines(house, 'in-backoff')).toEqual([]);
    await opened.agent.stop();
    await running;
    await opened.close();
  });

  test('it is noticed while a job runs, although nothing is asked of the engine', async () => {
    await using house = await openHouse();
    const engine = anEngine();
    const mayEnd = join(house.directory, 'may-end');
    const run = house.addRun(UNTIL_THERE, `(('${mayEnd}',),)`);
    const opened = await house.open({ settings: DAEMON, runtime: (_, real) => awayable(real, engine) });
    const running = opened.agent.run();
    const kinds = (): readonly string[] => house.events.map(({ kind }) => kind);
    await vi.waitFor(() => expect(kinds()).toContain('job-started'), 10_000);
    engine.away = true;
    await held(house);
    expect(kinds()).not.toContain('job-ended');
    engine.away = false;
    writeFileSync(mayEnd, '');
    await done(house, run);
    await opened.agent.stop();
    await running;
    await opened.close();
  });

  test('with --once it is waited for a while', async () => {
    await using house = await openHouse();
    const engine = anEngine();
    const run = house.addRun(QUICK, '((2,),)');
    // Away since the offer went up, long enough to be asked before the first claim.
    await using front = await HttpProxy.open(house.url, ({ path }) => {
      if (!path.endsWith('/start/')) return undefined;
      engine.away = true;
      return faults.delay(400);
    });
    const opened = await house.open({
      url: front.url,
      runtime: (_, real) => awayable(real, engine),
    });
    const running = opened.agent.run();
    await held(house);
    const { pings } = engine;
    await vi.waitFor(() => expect(engine.pings).toBeGreaterThan(pings + 2), 10_000);
    engine.away = false;
    await running;
    expect(house.broker.store.jobsOf(run).map(({ result }) => result)).toEqual(['2']);
    await opened.close();
  });
});

/** A journal on a disk that can be full: some of its writes fail then. */
function fillable(journal: Journal, fails: (write: string) => boolean): Journal {
  const orFull = <T>(write: string, call: () => T): T => {
    if (fails(write)) throw new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
    return call();
  };
  return withOther(journal, {
    insert: (job) => orFull('begin', () => journal.insert(job)),
    transition: (uuid, state) => orFull(state.name, () => journal.transition(uuid, state)),
    tryWriting: () => orFull('trial', () => journal.tryWriting()),
  });
}

describe('while the journal cannot be written', () => {
  test('nothing is claimed, no run is set aside, and claims go on within five seconds of there being room', async () => {
    await using house = await openHouse();
    let full = true;
    const claims = claimTimes(house);
    const run = house.addRun(QUICK, '((1,), (2,))');
    const opened = await house.open({ settings: DAEMON, journal: (real) => fillable(real, () => full) });
    const running = opened.agent.run();
    await held(house);
    expect(claims).toEqual([]);
    full = false;
    const room = performance.now();
    await done(house, run);
    expect((claims[0] ?? 0) - room).toBeLessThan(5_000);
    expect(lines(house, PAUSED)).toHaveLength(1);
    expect(lines(house, 'in-backoff')).toEqual([]);
    await opened.agent.stop();
    await running;
    await opened.close();
  });

  test('a claim that the broker has granted is written down when there is room, and its job is done', async () => {
    await using house = await openHouse();
    let full = false;
    house.broker.store.onEvent((event) => void (event.kind === 'claimed' && (full = true)));
    const run = house.addRun(QUICK, '((1,),)');
    const opened = await house.open({ settings: DAEMON, journal: (real) => fillable(real, () => full) });
    const running = opened.agent.run();
    await held(house);
    full = false;
    await done(house, run);
    expect(house.events.filter(({ kind }) => kind === 'job-claimed')).toHaveLength(1);
    await opened.agent.stop();
    await running;
    await opened.close();
  });

  test('a report that was taken is sent no second time, and is settled when there is room', async () => {
    await using house = await openHouse();
    let full = true;
    const run = house.addRun(QUICK, '((1,),)');
    const [job] = house.broker.store.jobsOf(run);
    await using front = await HttpProxy.open(house.url);
    const opened = await house.open({
      url: front.url,
      settings: DAEMON,
      journal: (real) => fillable(real, (write) => full && write === 'reported'),
    });
    const running = opened.agent.run();
    const tries = (): number => lines(house, 'delivered, not written down yet').length;
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(2), { timeout: 15_000, interval: 20 });
    expect(opened.journal.get(job?.uuid ?? '')?.state.name).toBe('finished');
    full = false;
    await vi.waitFor(() => expect(opened.journal.get(job?.uuid ?? '')?.state.name).toBe('reported'), 5_000);
    const patches = front.calls.filter(({ method, path }) => method === 'PATCH' && path.includes('/jobs/'));
    // The claim and the report.
    expect(patches).toHaveLength(2);
    await opened.agent.stop();
    await running;
    await opened.close();
  });
});

test('logs what blocks claiming once per change, and claims again when nothing does', async () => {
  await using house = await openHouse();
  const why: { disk: string | undefined; memory: string | undefined } = {
    disk: 'no room (1)',
    memory: undefined,
  };
  const run = house.addRun(QUICK, '((1,),)');
  const opened = await house.open({
    settings: DAEMON,
    questions: [
      { name: 'disk', why: () => why.disk },
      { name: 'memory', why: () => why.memory },
    ],
  });
  const running = opened.agent.run();
  await vi.waitFor(() => expect(pauses(house)).toEqual([['disk']]), 5_000);
  why.disk = 'no room (2)';
  why.memory = 'no memory';
  await vi.waitFor(() => expect(pauses(house)).toEqual([['disk'], ['disk', 'memory']]), 5_000);
  why.disk = undefined;
  await vi.waitFor(() => expect(pauses(house).at(-1)).toEqual(['memory']), 5_000);
  expect(house.broker.store.jobsOf(run).map(({ status }) => status)).toEqual([JOB_STATUS.CREATED]);
  why.memory = undefined;
  await done(house, run);
  expect(lines(house, PAUSED)).toHaveLength(3);
  expect(lines(house, RESUMED)).toHaveLength(1);
  await opened.agent.stop();
  await running;
  await opened.close();
});

test.each([
  ['the host was short of memory: the job goes back to the market', 1, JOB_STATUS.CREATED],
  ['the host was not: the job has failed', 0, JOB_STATUS.FAILED],
])('a job is killed while %s', async (_, rise, status) => {
  await using house = await openHouse();
  const run = house.addRun(`function handler() { process.kill(process.pid, 'SIGKILL') }`, '((),)');
  // The count is first read when the job has started, so it must rise after that.
  let reads = 0;
  const opened = await house.open({
    settings: DAEMON,
    oomKills: () => 7 + (reads++ === 0 ? 0 : rise),
  });
  const running = opened.agent.run();
  const over = rise > 0 ? 'job-released' : 'report-delivered';
  await vi.waitFor(() => expect(house.events.map(({ kind }) => kind)).toContain(over), 10_000);
  expect(house.broker.store.jobsOf(run)[0]?.status).toBe(status);
  await opened.agent.stop();
  await running;
  await opened.close();
});
