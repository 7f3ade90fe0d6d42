import { expect, test } from 'vitest';
import type { OfferPlan } from '../../../src/domain/offer.ts';
import { cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { CPU_IMAGE } from '../../support/domain.ts';
import { faults, isClaim } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const CODE = 'function handler() { return 7 }';
const OTHER: OfferPlan = {
  ...cpuOffer(1),
  key: 'other',
  name: 'other',
  slots: [{ id: 'other#0', gpu: null }],
};

test.each<[string, readonly OfferPlan[]]>([
  ['four free slots', [cpuOffer(4)]],
  ['two offers with a free slot each', [cpuOffer(1), OTHER]],
])('a job whose code has to be fetched first is claimed once by %s', async (_, offers) => {
  await using env = await TestEnv.open();
  // Until a first container has started, there is one claim at a time.
  const first = env.addRun(CODE, '((1,),)');
  await using _agent = await env.start({ offers });
  await env.untilDone(first);
  const before = env.proxy.calls.filter(isClaim).length;
  const run = env.addRun(CODE, '((1,),)');
  const fn = env.broker.store.functions.all().at(-1);
  const common = { uuid: 'its-other-id', name: 'sample', runtime: 'node24', registry_path: CPU_IMAGE };
  const named = faults.answer(200, JSON.stringify({ ...common, image: fn?.image, code: CODE }));
  env.proxy.plan = ({ path }) => {
    // Under another id than the one that is asked for, so its code is not remembered.
    if (path.endsWith(`/functions/${fn?.uuid}/`)) return named;
    return path.endsWith('/functions/its-other-id/') ? { ...named, ...faults.delay(500) } : undefined;
  };
  await env.untilDone(run);
  expect(env.proxy.calls.filter(isClaim).length - before).toBe(1);
  expect(logged(env.log, 'claim-aborted')).toEqual([]);
});
