import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { type Fault, faults, isClaim, isJobChange } from '../../support/faults/http-proxy.ts';

const QUICK = `function handler(event) { return event[0] }`;

/** Works the market off with --once. */
async function runOnce(env: TestEnv): Promise<void> {
  await using agent = await env.open();
  await agent.run();
}

test('a job that cannot be read keeps none of its run from being claimed that is open again later', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun(QUICK, '((1,), (2,))');
  const [bad, good] = env.jobsOf(run).map(({ uuid }) => ({ uuid, run, status: 1, instance: null }));
  env.proxy.plan = ({ count, path, query }) => {
    if (!path.endsWith('/jobs/') || !query.includes(`run=${run}`)) return undefined;
    const isOpen = env.jobsOf(run)[1]?.status === JOB_STATUS.CREATED;
    const others = count > 2 && isOpen ? [{ ...good, arguments: '(2,)' }] : [];
    return faults.answer(200, JSON.stringify([{ ...bad, arguments: 'oops(' }, ...others]));
  };
  await using _agent = await env.start();
  await env.time.passUntil(() => env.jobsOf(run)[1]?.result === '2');
  await env.time.pass(120_000);
  expect(env.jobOf(run).status).toBe(JOB_STATUS.CREATED);
  expect(env.proxy.calls.filter(isClaim)).toHaveLength(1);
  expect(env.log.filter((line) => line.includes('"event":"invalid-item"'))).toHaveLength(1);
});

describe('with --once a bad broker is got through, and the agent ends', () => {
  test('where every second try of each call fails, in one way after the other', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((1,), (2,), (3,))');
    const bad: readonly Fault[] = [
      faults.serverError,
      faults.html,
      faults.cutBefore,
      faults.cutAfter,
      faults.cutMidway,
      faults.truncate,
    ];
    env.proxy.plan = ({ count, total }) => (count % 2 === 0 ? bad[total % bad.length] : undefined);
    await runOnce(env);
    expect(env.jobsOf(run).map(({ result }) => result)).toEqual(['1', '2', '3']);
  });

  test.each([403, 404, 409])(
    'where every claim is answered %i: it is not claimed in a hot loop',
    async (status) => {
      await using env = await TestEnv.open();
      env.addRun(QUICK, '((1,), (2,))');
      env.proxy.plan = (call) => (isJobChange(call) ? faults.answer(status, '{"detail": "No."}') : undefined);
      await runOnce(env);
      expect(env.proxy.calls.filter(isJobChange).length).toBeLessThan(20);
    },
  );

  test('where a GPU and an instance make no sense: each is logged once, and the run is done', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((5,),)');
    env.proxy.plan = ({ method, path }) =>
      method === 'GET' && /\/(?:gpus|instances)\/$/.test(path)
        ? faults.answer(200, '[{"uuid": "odd"}]')
        : undefined;
    await runOnce(env);
    expect(env.jobOf(run).result).toBe('5');
    for (const what of ['gpu', 'instance'])
      expect(env.log.filter((line) => line.includes(`"${what}":"odd"`))).toHaveLength(1);
  });

  test('where the best runs have functions that make no sense: the run below them is done', async () => {
    await using env = await TestEnv.open();
    for (let n = 0; n < 12; n += 1) env.addRun(QUICK, '((1,),)', { bidPrice: 0.9 });
    const broken = env.broker.store.functions.all().map(({ uuid }) => uuid);
    const good = env.addRun(QUICK, '((5,),)');
    env.proxy.plan = ({ path }) =>
      broken.some((uuid) => path.includes(`/functions/${uuid}/`)) ? faults.answer(200, '{}') : undefined;
    await runOnce(env);
    expect(env.jobOf(good).result).toBe('5');
  });

  test('where it lists very many runs: some get a line each, and the others are counted', async () => {
    await using env = await TestEnv.open();
    const runs = Array.from({ length: 10_001 }, (_, n) => ({
      uuid: `low-${n}`,
      function: 'none',
      parameters: '((1,),)',
      num_jobs: 1,
      bid_price: 0,
      created_at: '01-01-2026 00:00:00',
    }));
    env.proxy.plan = ({ method, path }) =>
      method === 'GET' && /\/runs\b/.test(path) ? faults.answer(200, JSON.stringify(runs)) : undefined;
    await runOnce(env);
    const alone = env.log.filter((line) => line.includes('"run-skipped"'));
    const counted = env.events.flatMap((event) => (event.kind === 'runs-skipped' ? [event.reasons] : []));
    expect(alone.length).toBeLessThan(200);
    expect(counted).toEqual([{ 'bid-below-ask': runs.length - alone.length }]);
  });

  test('where it lists very many new runs at each poll: the one that pays is done', async () => {
    await using env = await TestEnv.open();
    const good = env.addRun(QUICK, '((5,),)');
    const [fn] = env.broker.store.functions.all();
    const common = {
      function: fn?.uuid,
      parameters: '((5,),)',
      num_jobs: 1,
      created_at: '01-01-2026 00:00:00',
    };
    let polls = 0;
    env.proxy.plan = ({ method, path }) => {
      if (method !== 'GET' || !/\/runs\b(?!\/)/.test(path)) return undefined;
      polls += 1;
      const low = Array.from({ length: 20_000 }, (_, n) => ({
        ...common,
        uuid: `low-${polls}-${n}`,
        bid_price: 0,
      }));
      const paying = { ...common, uuid: good, bid_price: 0.5 };
      const isDone = env.jobOf(good).status === JOB_STATUS.SUCCEEDED;
      return faults.answer(200, JSON.stringify(isDone ? low : [...low, paying]));
    };
    await runOnce(env);
    expect(env.jobOf(good).result).toBe('5');
    expect(env.count('run-skipped')).toBeLessThan(500);
  });

  test.each([
    ['cannot be read', 'oops('],
    ['have 9 MB', `(${'1,'.repeat(4_500_000)})`],
  ])('where the jobs of the best run have arguments that %s: the run below it is done', async (_, args) => {
    await using env = await TestEnv.open();
    const bad = env.addRun(QUICK, '((1,),)', { bidPrice: 0.9 });
    const good = env.addRun(QUICK, '((5,),)');
    const job = { uuid: env.jobOf(bad).uuid, run: bad, status: 1, instance: null, arguments: args };
    env.proxy.plan = ({ query }) =>
      query.includes(`run=${bad}`) ? faults.answer(200, JSON.stringify([job])) : undefined;
    await runOnce(env);
    expect(env.jobOf(good).result).toBe('5');
    expect(env.jobOf(bad).status).toBe(JOB_STATUS.CREATED);
    expect(env.proxy.calls.filter(({ query }) => query.includes(`run=${bad}`))).toHaveLength(1);
    expect(env.log.filter((line) => line.includes('"event":"invalid-item"'))).toHaveLength(1);
  });

  test.each([
    ['that cannot be read', 'oops('],
    ['of 5 MB', `(${'1,'.repeat(2_500_000)})`],
  ])('where a claimed job comes with arguments %s: it has failed', async (_, args) => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((1,),)');
    const { uuid } = env.jobOf(run);
    env.proxy.plan = (call) => {
      if (!isClaim(call)) return undefined;
      const { instance } = z.object({ instance: z.string() }).parse(JSON.parse(call.body));
      return faults.answerAfter(200, JSON.stringify({ uuid, run, status: 2, instance, arguments: args }));
    };
    await runOnce(env);
    expect(env.jobOf(run).status).toBe(JOB_STATUS.FAILED);
    expect(env.proxy.calls.filter(isClaim)).toHaveLength(1);
  });

  test('where the function of a run has 6 MB of code: the run is skipped, and looked up once', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(`${QUICK}\n//${'x'.repeat(6_000_000)}`, '((1,),)', { bidPrice: 0.9 });
    const good = env.addRun(QUICK, '((5,),)');
    await runOnce(env);
    expect(env.jobOf(good).result).toBe('5');
    expect(env.jobOf(run).status).toBe(JOB_STATUS.CREATED);
    expect(env.log.filter((line) => line.includes('"event":"run-invalid"'))).toHaveLength(1);
  });

  test('where it says to come back tomorrow: the agent ends soon, and says so', async () => {
    await using env = await TestEnv.open();
    env.proxy.plan = () => faults.tooMany(99_999);
    await expect(runOnce(env)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    expect(env.time.waitedMs).toBeLessThan(10_000);
  });
});
