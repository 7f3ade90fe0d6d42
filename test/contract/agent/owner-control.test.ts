import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PauseRequest, ReclaimRequest } from '../../../src/agent/owner/owner-commands.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { OfferPlan } from '../../../src/domain/offer.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { ADA, EVERYTHING, STUBBORN } from '../../support/agent/owner.ts';
import { cpuOffer, type TestAgent, TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { aGpu } from '../../support/domain.ts';
import { faults, isClaim, isJobChange } from '../../support/faults/http-proxy.ts';

const QUICK = `function handler(event) { return event[0] }`;
const ENDLESS = `function handler() { return new Promise(() => setInterval(() => {}, 1000)) }`;

const claims = (env: TestEnv): number => env.proxy.calls.filter(isClaim).length;
const instanceOf = (env: TestEnv) => env.broker.store.instances.all()[0];
const pause = (agent: TestAgent, more: Partial<PauseRequest> = {}) =>
  agent.agent.owner.pause({ ...EVERYTHING, ...more }, ADA);
const reclaim = (agent: TestAgent, withinMs: number, more: Partial<ReclaimRequest> = {}) =>
  agent.agent.owner.reclaim({ ...EVERYTHING, withinMs, confirmed: true, ...more }, ADA);
const resume = (agent: TestAgent) => agent.agent.owner.resume(EVERYTHING, undefined, ADA);
const onMarket = (env: TestEnv, wanted: boolean) =>
  env.until(() => expect(instanceOf(env)?.available).toBe(wanted));

describe('a pause', () => {
  test('takes no new jobs, lets the running one end paid, and takes the offer off the market', async () => {
    await using env = await TestEnv.open();
    const gate = new Gate(env.directory);
    const running = env.addRun(GATED, gate.parameters(5));
    await using agent = await env.start({ slots: 1 });
    await env.untilEvent('job-started');
    expect(await pause(agent)).toMatchObject({
      changed: true,
      targets: [{ target: 'cpu', hold: { kind: 'manual' } }],
    });
    const waiting = env.addRun(QUICK, '((1,),)');
    const before = claims(env);
    await onMarket(env, false);
    gate.open();
    await env.untilDone(running);
    expect(env.jobOf(running).cost).toBeGreaterThan(0);
    expect([claims(env), env.jobOf(waiting).status]).toEqual([before, JOB_STATUS.CREATED]);
    expect(await pause(agent)).toMatchObject({ changed: false });
    expect(await resume(agent)).toMatchObject({
      changed: true,
      targets: [{ target: 'cpu', hold: undefined }],
    });
    await onMarket(env, true);
    await env.untilDone(waiting);
    expect([env.count('owner-command'), env.count('target-held'), env.count('target-released')]).toEqual([
      2, 1, 1,
    ]);
  });

  test('releases a claim that is in flight', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((1,),)');
    const asked = Promise.withResolvers<void>();
    env.proxy.plan = (call) => {
      if (!isClaim(call)) return undefined;
      asked.resolve();
      return faults.delay(1_000);
    };
    await using agent = await env.start({ slots: 1 });
    await asked.promise;
    await pause(agent);
    await env.untilEvent('job-released');
    expect(env.jobOf(run).status).toBe(JOB_STATUS.CREATED);
    expect(env.count('job-started')).toBe(0);
    await resume(agent);
    await env.untilDone(run);
  });

  test('is there after a restart, without ever being on the market', async () => {
    await using env = await TestEnv.open();
    const first = await env.start({ slots: 1 });
    await env.untilEvent('offer-registered');
    await pause(first, { note: 'my evening' });
    await first.stop();
    const run = env.addRun(QUICK, '((1,),)');
    const starts = env.proxy.calls.filter(({ path }) => path.endsWith('/start/')).length;
    await using second = await env.start({ slots: 1 });
    await env.until(() => expect(env.count('recovery-completed')).toBe(2));
    await env.until(() => expect(second.agent.problem()).toBeUndefined());
    expect(env.proxy.calls.filter(({ path }) => path.endsWith('/start/'))).toHaveLength(starts);
    expect(env.jobOf(run).status).toBe(JOB_STATUS.CREATED);
    await resume(second);
    await env.untilDone(run);
  });

  test('ends by itself', async () => {
    await using env = await TestEnv.open();
    await using agent = await env.start({ slots: 1 });
    await env.untilEvent('offer-registered');
    await pause(agent, { lasting: { kind: 'after', ms: 300 } });
    const run = env.addRun(QUICK, '((1,),)');
    await env.untilDone(run);
    expect([env.count('target-held'), env.count('target-released')]).toEqual([1, 1]);
  });

  test.each([
    ['a GPU that is not here', { names: ['7'] }, 'TARGET_UNKNOWN'],
    ['a time in the past', { lasting: { kind: 'at', at: 1 } }, 'TIME_INVALID'],
    ['a schedule that never changes', { lasting: 'next-change' }, 'TIME_INVALID'],
  ] as const)('is refused for %s, and changes nothing', async (_, more, code) => {
    await using env = await TestEnv.open();
    await using agent = await env.start({ slots: 1 });
    await env.untilEvent('offer-registered');
    await expect(pause(agent, more)).rejects.toMatchObject({ code });
    expect(agent.journal.decisions.load()).toEqual([]);
    expect(agent.journal.decisions.audit(10)).toEqual([]);
  });

  test('that the disk refuses is not in force', async () => {
    await using env = await TestEnv.open();
    const full = Object.assign(new Error('database or disk is full'), {
      code: 'ERR_SQLITE_ERROR',
      errcode: 13,
    });
    const refuse = () => {
      throw full;
    };
    await using agent = await env.start({
      slots: 1,
      journal: (journal) =>
        withOther(journal, { decisions: { load: () => [], audit: () => [], save: refuse } }),
    });
    await expect(pause(agent)).rejects.toBe(full);
    const run = env.addRun(QUICK, '((1,),)');
    await env.untilDone(run);
  });
});

describe('a reclaim', () => {
  test('releases what runs, unpaid, and takes nothing more', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(ENDLESS, '((1,),)');
    await using agent = await env.start({ slots: 2 });
    await env.untilEvent('job-started');
    expect(await agent.agent.owner.preview(EVERYTHING)).toMatchObject([
      { job: env.jobOf(run).uuid, target: 'cpu' },
    ]);
    const { uuid } = env.jobOf(run);
    for (const confirmed of [false, [], ['another']]) {
      const refused = reclaim(agent, 500, { confirmed });
      await expect(refused).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
      await expect(refused).rejects.toThrow(uuid);
    }
    expect([env.count('owner-command'), env.count('target-held')]).toEqual([0, 0]);
    const answer = await reclaim(agent, 500, { confirmed: ['another', uuid] });
    expect(answer).toMatchObject({ changed: true, jobs: [{ job: env.jobOf(run).uuid }], gpus: [] });
    expect(await agent.runtime.list()).toEqual([]);
    await env.untilEvent('job-released');
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.CREATED, cost: null });
    expect(agent.journal.decisions.audit(10)).toMatchObject([{ action: 'pause', by: 'ada', from: 'a test' }]);
    // It says nothing against this host, which takes the job again at once.
    const [waitedMs, claimed] = [env.time.waitedMs, env.count('job-claimed')];
    await resume(agent);
    await env.until(() => expect(env.count('job-claimed')).toBe(claimed + 1));
    expect(env.time.waitedMs - waitedMs).toBeLessThan(15_000);
  });

  test('that the engine does not carry out is answered, with the jobs that still run', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(ENDLESS, '((1,),)');
    await using agent = await env.start({
      slots: 1,
      runtime: (_, processes) => withOther(processes, { stop: () => new Promise(() => undefined) }),
    });
    await env.untilEvent('job-started');
    const { uuid } = env.jobOf(run);
    const answer = reclaim(agent, 500);
    await env.time.pass(30_000);
    expect(await answer).toMatchObject({ changed: true, jobs: [{ job: uuid }], left: [uuid] });
    expect(env.jobOf(run).status).toBe(JOB_STATUS.IN_PROGRESS);
    expect(env.count('job-release-queued')).toBe(0);
  });

  test('gives a job that is being stopped less time than an earlier one', async () => {
    await using env = await TestEnv.open();
    const file = join(env.directory, 'stubborn');
    const run = env.addRun(STUBBORN, `(('${file}',),)`);
    await using agent = await env.start({ slots: 1 });
    await env.until(() => expect(existsSync(file)).toBe(true));
    const slow = reclaim(agent, 600_000);
    expect(await reclaim(agent, 0)).toMatchObject({ changed: false, left: [] });
    expect(await slow).toMatchObject({ changed: true, left: [] });
    await env.untilEvent('job-released');
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.CREATED, cost: null });
  });

  test('of CPU jobs with nothing running is done at once', async () => {
    await using env = await TestEnv.open();
    await using agent = await env.start({ slots: 2 });
    expect(await reclaim(agent, 500, { names: ['cpu'], confirmed: false })).toMatchObject({
      jobs: [],
    });
  });
});

describe('an offer of two GPUs', () => {
  const [first, second] = [aGpu({ index: 0 }), aGpu({ index: 1, uuid: 'GPU-b' })];
  const offer: OfferPlan = {
    ...cpuOffer(0),
    key: 'gpu:test',
    slots: [first, second].map(({ uuid }) => ({ id: uuid, gpu: uuid })),
  };

  test('gets smaller and larger with pauses, and ends well while the broker does not answer', async () => {
    await using env = await TestEnv.open();
    await using agent = await env.start({ gpus: [first, second], offers: [offer] });
    await env.untilEvent('offer-registered');
    const size = (wanted: number) =>
      env.until(() => expect(instanceOf(env)?.maxNumParallelJobs).toBe(wanted));
    await size(2);
    await pause(agent, { names: ['0'] });
    await size(1);
    expect(instanceOf(env)?.available).toBe(true);
    env.proxy.plan = (call) => (isJobChange(call) ? undefined : faults.serverError);
    await agent.agent.owner.resume(EVERYTHING, undefined, ADA);
    await env.untilEvent('startup-blocked');
    await agent.stop();
    expect(instanceOf(env)?.maxNumParallelJobs).toBe(1);
  });
});
