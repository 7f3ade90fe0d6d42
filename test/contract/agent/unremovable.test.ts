import { expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { type AgentChoices, TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { logged } from '../../support/log/log-into.ts';

const RETURNS = 'function handler() { return 7 }';
const HANGS = 'function handler() { setInterval(() => 0, 1000); return new Promise(() => 0) }';

/** An engine on which nothing that has ended can be removed until `fix` is called. */
function withoutRemoval(refuse: () => Promise<void>) {
  let isBroken = true;
  const runtime: AgentChoices['runtime'] = (_, processes) =>
    withOther(processes, {
      remove: async (id) => {
        const found = (await processes.list()).find((one) => one.id === id);
        if (!isBroken || found?.state !== 'exited') return processes.remove(id);
        return refuse();
      },
    });
  const fix = (): void => {
    isBroken = false;
  };
  return { runtime, fix };
}

const refused = (): Promise<void> =>
  Promise.reject(new AgentError('RUNTIME_FAILED', 'device or resource busy', { hint: 'restart Docker' }));
const unanswered = (): Promise<void> => new Promise(() => undefined);

test.each<[string, () => Promise<void>]>([
  ['is refused', refused],
  ['is never answered', unanswered],
])('a removal that %s holds no slot: the next jobs of it are done', async (_, refuse) => {
  await using env = await TestEnv.open();
  const run = env.addRun(RETURNS, '((1,), (2,), (3,), (4,))');
  const { runtime } = withoutRemoval(refuse);
  await using agent = await env.start({ slots: 1, runtime });
  await env.untilDone(run);
  await env.until(() => expect(agent.journal.uuidsIn('reported')).toHaveLength(4));
  await env.time.passUntil(() => env.count('container-removal-failed') === 4);
});

test('a removal that is refused delays no release: the job starts elsewhere', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun(HANGS, '((1,),)');
  const { runtime } = withoutRemoval(refused);
  await using agent = await env.start({ slots: 1, runtime });
  await env.untilEvent('job-started');
  const ended = agent.agent.evict();
  await env.time.passUntil(() => env.jobOf(run).status === JOB_STATUS.CREATED);
  await ended;
  expect(env.count('job-released')).toBe(1);
});

test('draining does not wait for the removal, and the next start is not held up by it', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun(RETURNS, '((1,),)');
  const { runtime } = withoutRemoval(unanswered);
  const first = await env.start({ slots: 1, runtime });
  await env.untilDone(run);
  await first.drain();
  await first.close();
  const next = env.addRun(RETURNS, '((2,),)');
  await using _second = await env.start({ slots: 1, runtime });
  await env.untilDone(next);
  expect(env.jobOf(next).result).toBe('7');
});

test('a container that stays is logged once, keeps its job off this host, and goes when it can', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun(RETURNS, '((1,),)');
  const { fix, runtime } = withoutRemoval(refused);
  await using _agent = await env.start({ slots: 1, runtime });
  await env.untilDone(run);
  await env.untilEvent('container-removal-failed');
  await env.time.pass(300_000);
  expect(logged(env.log, 'container-removal-failed')).toMatchObject([
    { hint: 'restart Docker', orphans: 1, job: env.jobOf(run).uuid },
  ]);
  fix();
  await env.time.passUntil(() => env.count('container-removed') === 1);
});
