import { expect, test } from 'vitest';
import { microDollars } from '../../../src/pricing/money.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { reconcile } from '../../support/cli/reconcile.ts';
import { type Call, type Fault, faults } from '../../support/faults/http-proxy.ts';

const isReport = ({ body }: Call): boolean => body.includes('"stdout"');
const isJobLookup = ({ method, path }: Call): boolean =>
  method === 'GET' && /^\/api\/v1\/jobs\/[^/]+\/?$/.test(path);

test.each<readonly [string, Fault]>([
  ['nothing', faults.answerAfter(204)],
  ['an object without a cost', faults.answerAfter(200, '{"status": 3}')],
  ['a cost that is no amount', faults.answerAfter(200, '{"cost": "much"}')],
])('what the broker has booked counts where it answers the report with %s', async (_, fault) => {
  await using env = await TestEnv.open();
  env.proxy.plan = (call) => (isReport(call) ? fault : undefined);
  const run = env.addRun('function handler() { return 1 }', '((),)');
  await using agent = await env.open();
  await agent.run();
  const booked = microDollars(env.jobOf(run).cost ?? 0);
  expect(booked).toBeGreaterThan(0);
  expect(agent.journal.bookedJobs.total()).toBe(booked);
  expect(await reconcile(env)).toMatchObject({ exit: 0, found: { differences: [] } });
});

test('ask and time count where the broker will not say what it has booked', async () => {
  await using env = await TestEnv.open();
  env.proxy.plan = (call) => {
    if (isReport(call)) return faults.answerAfter(204);
    return isJobLookup(call) ? faults.serverError : undefined;
  };
  env.addRun('function handler() { return new Promise((done) => setTimeout(done, 50)) }', '((),)');
  await using agent = await env.open();
  await agent.run();
  const [job] = agent.journal.history(1);
  const durationMs = job?.state.name === 'reported' ? job.state.durationMs : 0;
  expect(durationMs).toBeGreaterThan(0);
  expect(agent.journal.bookedJobs.total()).toBe(microDollars((0.1 * durationMs) / 60_000));
});
