import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { ADA, EVERYTHING, STUBBORN } from '../../support/agent/owner.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

/** An agent that finds a job of an earlier one, and recovers once the engine answers. */
async function withJobOfEarlierAgent(env: TestEnv) {
  const gate = new Gate(env.directory);
  const run = env.addRun(GATED, gate.parameters(5));
  const first = await env.start({ slots: 1 });
  await env.untilEvent('job-started');
  await first.stop();
  const engine = Promise.withResolvers<void>();
  const { runtime } = first;
  const agent = await env.start({
    slots: 1,
    runtime: () =>
      withOther(runtime, {
        list: async () => {
          await engine.promise;
          return runtime.list();
        },
      }),
  });
  return { agent, run, gate, answer: () => engine.resolve() };
}

test('a reclaim before the agent has recovered names the job, and ends it once it is adopted', async () => {
  await using env = await TestEnv.open();
  const { agent, answer, run } = await withJobOfEarlierAgent(env);
  await using _ = agent;
  const { uuid } = env.jobOf(run);
  expect(await agent.agent.owner.preview(EVERYTHING)).toMatchObject([{ job: uuid }]);
  const reclaimed = agent.agent.owner.reclaim({ ...EVERYTHING, withinMs: 500, confirmed: true }, ADA);
  await env.time.pass(30_000);
  const { left, problem } = await reclaimed;
  expect([left, problem?.hint]).toEqual([[uuid], expect.any(String)]);
  answer();
  await env.untilEvent('job-released');
  expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.CREATED, cost: null });
  expect(agent.agent.overview.now(0).targets).toMatchObject([{ jobs: [], hold: { kind: 'manual' } }]);
});

test('a reclaim waits for a recovery that does not take long', async () => {
  await using env = await TestEnv.open();
  const { agent, answer, run } = await withJobOfEarlierAgent(env);
  await using _ = agent;
  const reclaimed = agent.agent.owner.reclaim({ ...EVERYTHING, withinMs: 500, confirmed: true }, ADA);
  await env.untilEvent('owner-command');
  answer();
  expect(await reclaimed).toMatchObject({ jobs: [{ job: env.jobOf(run).uuid }], left: [] });
  expect(await agent.runtime.list()).toEqual([]);
});

test.each([
  ['with its tag', { ...EVERYTHING, tag: 'slurm:1' }, EVERYTHING, 'slurm:1'],
  ['for it alone', EVERYTHING, { names: ['cpu'], minors: [] }, undefined],
])(
  'a job whose pause is taken back %s before it is adopted runs on to its end',
  async (_, taken, back, tag) => {
    await using env = await TestEnv.open();
    const { agent, answer, gate, run } = await withJobOfEarlierAgent(env);
    await using _agent = agent;
    const reclaimed = agent.agent.owner.reclaim({ ...taken, withinMs: 500, confirmed: true }, ADA);
    await env.untilEvent('owner-command');
    if (tag !== undefined) await agent.agent.owner.pause(EVERYTHING, ADA);
    await agent.agent.owner.resume(back, tag, ADA);
    answer();
    await env.untilEvent('job-adopted');
    gate.open();
    await env.untilDone(run);
    expect(env.jobOf(run).cost).toBeGreaterThan(0);
    await reclaimed;
  },
);

test('the end of the agent with its jobs cuts a long reclaim short', async () => {
  await using env = await TestEnv.open();
  const file = join(env.directory, 'stubborn');
  const run = env.addRun(STUBBORN, `(('${file}',),)`);
  await using agent = await env.start({ slots: 1 });
  await env.until(() => expect(existsSync(file)).toBe(true));
  const slow = agent.agent.owner.reclaim({ ...EVERYTHING, withinMs: 600_000, confirmed: true }, ADA);
  await env.untilEvent('owner-command');
  await agent.agent.evict();
  expect(await slow).toMatchObject({ left: [] });
  expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.CREATED, cost: null });
});
