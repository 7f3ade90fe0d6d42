import { expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { slowStart } from '../../support/agent/slow-start.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

const ENDLESS = `function handler() {
  console.log('begun');
  setInterval(() => 0, 1000);
  return new Promise(() => 0);
}`;

test('a job whose container cannot be ended is a TIMEOUT all the same, and keeps its slot until that is gone', async () => {
  await using env = await TestEnv.open();
  const endless = env.addRun(ENDLESS, '((1,),)');
  // As of processes that hang in a driver.
  let isStubborn = true;
  let refusals = 0;
  const unlessStubborn = async (end: () => Promise<void>): Promise<void> => {
    if (!isStubborn) return end();
    refusals += 1;
    throw new AgentError('RUNTIME_FAILED', 'the container was killed and has not ended');
  };
  await using _agent = await env.start({
    slots: 1,
    settings: { jobTimeoutMs: 1_000, unkillableAfterMs: 1_000 },
    runtime: (_, processes) =>
      withOther(slowStart(processes, 'begun'), {
        stop: (id, graceMs) => unlessStubborn(() => processes.stop(id, graceMs)),
        remove: (id) => unlessStubborn(() => processes.remove(id)),
      }),
  });
  await env.time.passUntil(() => env.jobOf(endless).status === JOB_STATUS.TIMEOUT);
  expect(env.jobOf(endless)).toMatchObject({ stdout: 'begun\n', result: '' });
  expect(env.jobOf(endless).stderr).toContain('it ran longer than 1 s');
  // Nothing is claimed for the slot on which the old one still sits.
  const next = env.addRun('function handler() { return 1 }', '((1,),)');
  const before = refusals;
  await env.time.passUntil(() => refusals > before + 3);
  expect(env.jobOf(next).status).toBe(JOB_STATUS.CREATED);

  isStubborn = false;
  await env.time.passUntil(() => env.jobOf(next).status !== JOB_STATUS.CREATED);
  await env.untilDone(next);
});

test('a job that ended well while the engine was unreachable for longer than anybody waits is no TIMEOUT', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun('function handler() { return 7 }', '((1,),)');
  let isUnreachable = false;
  let stops = 0;
  const unlessUnreachable = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isUnreachable) throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is unreachable');
    return call();
  };
  await using _agent = await env.start({
    slots: 1,
    settings: { jobTimeoutMs: 5_000, unkillableAfterMs: 300 },
    runtime: (_, processes) =>
      withOther<Runtime>(processes, {
        start: async (id) => {
          await slowStart(processes).start(id);
          isUnreachable = true;
        },
        ping: (signal) => unlessUnreachable(() => processes.ping(signal)),
        wait: (id, signal) => unlessUnreachable(() => processes.wait(id, signal)),
        follow: (id, sink, signal) => unlessUnreachable(() => processes.follow(id, sink, signal)),
        stop: (id, graceMs) => {
          stops += 1;
          return unlessUnreachable(() => processes.stop(id, graceMs));
        },
      }),
  });
  // Its deadline has passed, and so has all that anybody waits for an end, more than once.
  await env.time.passUntil(() => stops > 3);
  expect(env.jobOf(run).status).toBe(JOB_STATUS.IN_PROGRESS);
  isUnreachable = false;
  await env.untilDone(run);
  expect(env.jobOf(run).result).toBe('7');
});
