import { describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';

const LONG = `function handler(event) { return new Promise((done) => setTimeout(() => done(event[0]), event[0])) }`;

const started = (events: readonly { readonly kind: string }[]) =>
  vi.waitFor(() => expect(events.map(({ kind }) => kind)).toContain('job-started'), 10_000);

describe('the lifetimes of the loops', () => {
  test('draining keeps the leases of what runs, and its report is taken', async () => {
    await using house = await openHouse({ leaseSeconds: 2 });
    const run = house.addRun(LONG, '((5000,),)');
    const opened = await house.open({ settings: { once: false } });
    const running = opened.agent.run();
    await started(house.events);
    await opened.agent.drain();
    await running;
    expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5000' });
    await opened.close();
  });

  test('a job that ended in time while the engine was away is no TIMEOUT', async () => {
    await using house = await openHouse();
    const run = house.addRun(LONG, '((300,),)');
    let awayUntil = Number.POSITIVE_INFINITY;
    const opened = await house.open({
      settings: { jobTimeoutMs: 5_000 },
      runtime: (_, runtime) =>
        withOther(runtime, {
          wait: async (id, signal) => {
            if (performance.now() < awayUntil)
              throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is away');
            return runtime.wait(id, signal);
          },
        }),
    });
    const running = opened.agent.run();
    await started(house.events);
    awayUntil = performance.now() + 5_500;
    await running;
    expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '300' });
    await opened.close();
  });

  test('a journal that cannot be written for a moment loses nothing', async () => {
    await using house = await openHouse();
    const run = house.addRun(LONG, '((10,),)');
    const failures = new Map([
      ['running', 2],
      ['finished', 2],
    ]);
    const opened = await house.open({
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
    await opened.agent.run();
    expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '10' });
    expect(house.events.filter(({ kind }) => kind === 'job-started')).toHaveLength(1);
    await opened.close();
  });
});
