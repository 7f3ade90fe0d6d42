import { describe, expect, test } from 'vitest';
import { StatusText } from '../../../src/daemon/status-text.ts';
import type { OfferPlan } from '../../../src/domain/offer.ts';
import { ADA, EVERYTHING } from '../../support/agent/owner.ts';
import { cpuOffer, type TestAgent, TestEnv } from '../../support/agent/test-env.ts';
import { aGpu } from '../../support/domain.ts';
import { faults } from '../../support/faults/http-proxy.ts';

const GPUS = [aGpu({ index: 0 }), aGpu({ index: 1, uuid: 'GPU-b' })];
const OFFER: OfferPlan = {
  ...cpuOffer(0),
  key: 'gpu:test',
  slots: GPUS.map(({ uuid }) => ({ id: uuid, gpu: uuid })),
};

const instanceOf = (env: TestEnv) => env.broker.store.instances.all()[0];
const isInstance = ({ path }: { path: string }): boolean => path.includes('/instances/');
const pause = (agent: TestAgent, ...names: string[]) =>
  agent.agent.owner.pause({ ...EVERYTHING, names }, ADA);
const resume = (agent: TestAgent, ...names: string[]) =>
  agent.agent.owner.resume({ names, minors: [] }, undefined, ADA);
/** The broker has the offer with so many jobs at once; 0: it is off the market. */
const size = (env: TestEnv, jobs: number) =>
  env.until(() => {
    const instance = instanceOf(env);
    expect(instance?.available === true ? instance.maxNumParallelJobs : 0).toBe(jobs);
  });

async function twoGpus(env: TestEnv): Promise<TestAgent> {
  const agent = await env.start({ gpus: GPUS, offers: [OFFER] });
  await env.untilEvent('offer-registered');
  return agent;
}

describe('an offer that is registered while the owner keeps it from jobs', () => {
  test('is on the market when the hold ends meanwhile', async () => {
    await using env = await TestEnv.open();
    const first = await env.start({ slots: 1 });
    await env.untilEvent('offer-registered');
    await pause(first);
    await first.stop();
    const asked = Promise.withResolvers<void>();
    env.proxy.plan = (call) => {
      if (!isInstance(call)) return undefined;
      asked.resolve();
      return faults.delay(300);
    };
    await using second = await env.start({ slots: 1 });
    await asked.promise;
    await resume(second);
    await size(env, 1);
    expect(env.broker.store.instances.all()).toHaveLength(1);
  });

  test('leaves the market where an agent before had left it there', async () => {
    await using env = await TestEnv.open();
    const first = await env.start({ slots: 1 });
    await env.untilEvent('offer-registered');
    env.proxy.plan = (call) => (isInstance(call) ? faults.serverError : undefined);
    await pause(first);
    await first.stop();
    expect(instanceOf(env)?.available).toBe(true);
    env.proxy.plan = () => undefined;
    await using second = await env.start({ slots: 1 });
    await size(env, 0);
    await resume(second);
    await size(env, 1);
  });
});

describe('the size of an offer', () => {
  test('goes into the new instance when the broker has forgotten the old one', async () => {
    await using env = await TestEnv.open();
    await using agent = await twoGpus(env);
    const old = instanceOf(env)?.uuid ?? '';
    const isOld = ({ path, query }: { path: string; query: string }): boolean =>
      path.includes(old) || query.includes(old);
    env.proxy.plan = (call) => (isOld(call) ? faults.answer(404, '{"detail":"Not found."}') : undefined);
    env.broker.store.instances.all().forEach((one) => {
      Object.assign(one, { name: 'forgotten' });
    });
    await pause(agent, '0');
    const renewed = (jobs: number) =>
      env.until(() =>
        expect(env.broker.store.instances.all().find(({ uuid }) => uuid !== old)).toMatchObject({
          available: true,
          maxNumParallelJobs: jobs,
        }),
      );
    await renewed(1);
    await resume(agent, '0');
    await renewed(2);
    expect(agent.agent.overview.now(0).offers).toMatchObject([{ offer: { parallelJobs: 2 } }]);
  });

  test('is the last one of two changes, the second while the first is registered', async () => {
    await using env = await TestEnv.open();
    await using agent = await twoGpus(env);
    await pause(agent);
    await size(env, 0);
    let registered = 0;
    const asked = Promise.withResolvers<void>();
    env.proxy.plan = (call) => {
      if (!isInstance(call)) return undefined;
      if (call.method === 'PATCH' && registered++ === 0) asked.resolve();
      return faults.delay(call.method === 'PATCH' ? 200 : 50);
    };
    await resume(agent, '0');
    await asked.promise;
    await resume(agent, '1');
    await env.until(() => expect(env.count('offer-registered')).toBe(2));
    await size(env, 2);
    const sizes = env.proxy.calls.flatMap(({ body, method }) =>
      method === 'PATCH' ? (/parallel_jobs":\s*(\d+)/.exec(body)?.[1] ?? []) : [],
    );
    expect(sizes.slice(0, 2)).toEqual(['1', '2']);
    expect(sizes.at(-1)).toBe('2');
  });

  test('is no longer waited for once the broker has taken it', async () => {
    await using env = await TestEnv.open();
    await using agent = await twoGpus(env);
    let failures = 0;
    env.proxy.plan = (call) => (call.method === 'PATCH' && failures++ === 0 ? faults.serverError : undefined);
    await pause(agent, '0');
    await size(env, 1);
    await env.untilEvent('offer-resized');
    const [blocked, after] = [new StatusText(), new StatusText()];
    const isBlocked = env.events.findIndex(({ kind }) => kind === 'startup-blocked');
    expect(isBlocked).toBeGreaterThan(0);
    for (const event of env.events) after.observe(event);
    for (const event of env.events.filter(({ kind }) => kind !== 'startup-blocked')) blocked.observe(event);
    expect(after.text).toBe(blocked.text);
  });
});
