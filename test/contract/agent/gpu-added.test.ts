import { expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { CPU_IMAGE } from '../../support/domain.ts';

test('a run that names a GPU which was added to the catalogue later is done, without a restart', async () => {
  await using env = await TestEnv.open();
  const { store } = env.broker;
  const [model] = store.gpus.all();
  if (model === undefined) throw new Error('the catalogue is empty');
  let later = 0;
  await using _agent = await env.start({
    clock: { ...systemClock, monotonic: () => systemClock.monotonic() + later },
    offers: [
      {
        key: 'gpu',
        kind: 'gpu',
        name: 'GPU',
        gpu: model,
        cudaCores: 100_000,
        wholeGpu: true,
        askPrice: 0.1,
        slots: [{ id: 'gpu#0', gpu: null }],
      },
    ],
  });
  const catalogues = () => env.proxy.calls.filter(({ path }) => path.includes('/gpus/')).length;
  await env.until(() => expect(store.instances.all()).toMatchObject([{ available: true }]));
  expect(catalogues()).toBe(1);
  store.gpus.put({ ...model, uuid: 'gpu-new', name: 'Nvidia New' });
  const image = store.addImage({ registryPath: CPU_IMAGE, requiresGpu: true, runtime: 'node24' });
  const fn = store.addFunction({
    name: 'sample',
    code: 'function handler(event) { return event[0] }',
    image,
  });
  const run = store.addRun({ function: fn, parameters: '((5,),)', bidPrice: 0.5, baseGpu: 'gpu-new' });
  await env.until(() =>
    expect(env.events.map((event) => event.kind === 'run-skipped' && event.reason)).toContain('gpu-unknown'),
  );
  // Nothing is asked for meanwhile.
  expect(catalogues()).toBe(1);
  later = 600_000;
  await env.untilDone(run);
  expect(catalogues()).toBe(2);
});
