import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { type Call, faults } from '../../support/faults/http-proxy.ts';

const HELLO = 'function handler(event) { return event[0] * 2 }';

const isLookUp = ({ path }: Call): boolean => /\/(?:functions|images)\/./.test(path);

/** A second offer of the same host. */
function otherOffer(): ReturnType<typeof cpuOffer> {
  const offer = cpuOffer(2);
  const slots = offer.slots.map((slot) => ({ ...slot, id: `other-${slot.id}` }));
  return { ...offer, key: 'other', name: 'other', slots };
}

describe('the functions and images of the runs', () => {
  test('are looked up once for all offers, and an image once for all runs', async () => {
    await using env = await TestEnv.open();
    const runs = [1, 2, 3].map((n) => env.addRun(HELLO, `((${n},), (${n},))`));
    await using agent = await env.open({ offers: [cpuOffer(2), otherOffer()] });
    await agent.run();
    for (const run of runs)
      expect(env.jobsOf(run).every(({ status }) => status === JOB_STATUS.SUCCEEDED)).toBe(true);
    const paths = env.proxy.calls.filter(isLookUp).map(({ path }) => path);
    expect(paths.filter((path) => path.includes('/functions/'))).toHaveLength(3);
    expect(paths.filter((path) => path.includes('/images/'))).toHaveLength(1);
  });

  test.each(['functions', 'images'])(
    'are looked up again soon where the answer about %s is garbled',
    async (kind) => {
      await using env = await TestEnv.open();
      const run = env.addRun(HELLO, '((1,),)');
      env.proxy.plan = (call) =>
        call.path.includes(`/${kind}/`) && call.count === 1 ? faults.answer(200, '{"uuid": 1}') : undefined;
      await using agent = await env.open();
      await agent.run();
      expect(env.jobOf(run).status).toBe(JOB_STATUS.SUCCEEDED);
      expect(env.time.waitedMs).toBeLessThan(10_000);
    },
  );
});
