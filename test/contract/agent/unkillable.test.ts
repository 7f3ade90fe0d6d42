import { expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { slowStart } from '../../support/agent/slow-start.ts';
import { withOther } from '../../support/agent/with-other.ts';

const ENDLESS = `function handler() {
  console.log('begun');
  setInterval(() => 0, 1000);
  return new Promise(() => 0);
}`;

/** A runtime whose containers cannot be ended nor removed, as of processes that hang in a driver, until told otherwise. */
function stubborn(processes: Runtime): { readonly runtime: Runtime; yield: () => void } {
  let stubborn = true;
  const denied = (): Promise<never> =>
    Promise.reject(new AgentError('RUNTIME_FAILED', 'the container was killed and has not ended'));
  const runtime = new Proxy(processes, {
    get(target, property) {
      if (stubborn && (property === 'stop' || property === 'remove')) return denied;
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => Reflect.apply(member, target, args);
    },
  });
  return { runtime, yield: () => (stubborn = false) };
}

test('a job whose container cannot be ended is a TIMEOUT all the same, and keeps its slot until that is gone', async () => {
  await using house = await openHouse();
  const endless = house.addRun(ENDLESS, '((1,),)');
  let give: () => void = () => undefined;
  const opened = await house.open({
    slots: 1,
    settings: { once: false, jobTimeoutMs: 1_000, killPatienceMs: 1_000 },
    runtime: (_, processes) => {
      const made = stubborn(slowStart(processes, 'begun'));
      give = made.yield;
      return made.runtime;
    },
  });
  const running = opened.agent.run();
  await vi.waitFor(
    () => expect(house.broker.store.jobsOf(endless)[0]?.status).toBe(JOB_STATUS.TIMEOUT),
    30_000,
  );
  const [job] = house.broker.store.jobsOf(endless);
  expect(job).toMatchObject({ stdout: 'begun\n', result: '' });
  expect(job?.stderr).toContain('it ran longer than 1 s');
  // Nothing is claimed for the slot on which the old one still sits.
  const next = house.addRun('function handler() { return 1 }', '((1,),)');
  await vi.waitFor(
    () => expect(house.log.filter((line) => line.includes('trying again')).length).toBeGreaterThan(3),
    30_000,
  );
  expect(house.broker.store.jobsOf(next)[0]?.status).toBe(JOB_STATUS.CREATED);

  give();
  await vi.waitFor(
    () => expect(house.broker.store.jobsOf(next)[0]?.status).toBe(JOB_STATUS.SUCCEEDED),
    30_000,
  );
  await opened.agent.stop();
  await running;
  await opened.close();
});

test('a job that ended well while the engine was away for longer than anybody waits is no TIMEOUT', async () => {
  await using house = await openHouse();
  const run = house.addRun('function handler() { return 7 }', '((1,),)');
  let away = false;
  let stops = 0;
  const unlessAway = async <T>(call: () => Promise<T>): Promise<T> => {
    if (away) throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is away');
    return call();
  };
  const opened = await house.open({
    slots: 1,
    settings: { once: false, jobTimeoutMs: 5_000, killPatienceMs: 300 },
    runtime: (_, processes) =>
      withOther<Runtime>(processes, {
        start: async (id) => {
          await processes.start(id);
          away = true;
        },
        ping: (signal) => unlessAway(() => processes.ping(signal)),
        wait: (id, signal) => unlessAway(() => processes.wait(id, signal)),
        follow: (id, sink, signal) => unlessAway(() => processes.follow(id, sink, signal)),
        stop: (id, graceMs) => {
          stops += 1;
          return unlessAway(() => processes.stop(id, graceMs));
        },
      }),
  });
  const running = opened.agent.run();
  // Its deadline has passed, and so has all patience, more than once.
  await vi.waitFor(() => expect(stops).toBeGreaterThan(3), 20_000);
  expect(house.broker.store.jobsOf(run)[0]?.status).toBe(JOB_STATUS.IN_PROGRESS);
  away = false;
  await vi.waitFor(
    () =>
      expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '7' }),
    25_000,
  );
  await opened.agent.stop();
  await running;
  await opened.close();
});
