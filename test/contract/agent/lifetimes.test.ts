import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { slowStart } from '../../support/agent/slow-start.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

const QUICK = `function handler(event) { return event[0] }`;

describe('the lifetimes of the loops', () => {
  test('draining keeps the leases of what runs, and its report is taken', async () => {
    await using env = await TestEnv.open({ leaseSeconds: 2 });
    const gate = new Gate(env.directory);
    const run = env.addRun(GATED, gate.parameters(7));
    await using agent = await env.start();
    await env.untilEvent('job-started');
    const drained = agent.drain();
    await env.time.pass(5_000);
    gate.open();
    await drained;
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '7' });
  });

  test('a job that ended in time while the engine was unreachable is no TIMEOUT', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((300,),)');
    let unreachableUntil = Number.POSITIVE_INFINITY;
    await using agent = await env.open({
      settings: { jobTimeoutMs: 5_000 },
      runtime: (_, runtime) =>
        withOther(slowStart(runtime), {
          wait: async (id, signal) => {
            if (performance.now() < unreachableUntil)
              throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is unreachable');
            return runtime.wait(id, signal);
          },
        }),
    });
    const running = agent.run();
    await env.untilEvent('job-started');
    unreachableUntil = performance.now() + 5_500;
    await running;
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '300' });
  });

  test('a journal that cannot be written for a moment loses nothing', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((10,),)');
    const failures = new Map([
      ['running', 2],
      ['finished', 2],
    ]);
    await using agent = await env.open({
      journal: (journal) =>
        withOther(journal, {
          transition: (uuid, state) => {
            const left = failures.get(state.name) ?? 0;
            failures.set(state.name, left - 1);
            if (left > 0) throw new AgentError('STATE_DIR_UNUSABLE', 'no space left');
            return journal.transition(uuid, state);
          },
        }),
    });
    await agent.run();
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '10' });
    expect(env.count('job-started')).toBe(1);
  });
});
