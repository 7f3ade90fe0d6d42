import { expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { CPU_IMAGE, openHouse } from '../../support/agent/harness.ts';
import { HttpProxy } from '../../support/faults/http-proxy.ts';

test('a run that names a GPU which was added to the catalogue later is done, without a restart', async () => {
  await using house = await openHouse();
  const { store } = house.broker;
  const [model] = store.gpus.all();
  if (model === undefined) throw new Error('the catalogue is empty');
  let later = 0;
  await using front = await HttpProxy.open(house.url);
  const opened = await house.open({
    url: front.url,
    settings: { once: false },
    clock: { ...systemClock, monotonic: () => systemClock.monotonic() + later },
    offer: {
      key: 'gpu',
      kind: 'gpu',
      name: 'GPU',
      gpu: model,
      cudaCores: 100_000,
      wholeGpu: true,
      askPrice: 0.1,
      slots: [{ id: 'gpu#0', gpu: null }],
    },
  });
  const running = opened.agent.run();
  const catalogues = () => front.calls.filter(({ path }) => path.includes('/gpus/')).length;
  await vi.waitFor(() => expect(store.instances.all()).toMatchObject([{ available: true }]), 10_000);
  expect(catalogues()).toBe(1);
  store.gpus.put({ ...model, uuid: 'gpu-new', name: 'Nvidia New' });
  const image = store.addImage({ registryPath: CPU_IMAGE, requiresGpu: true, runtime: 'node24' });
  const fn = store.addFunction({
    name: 'sample',
    code: 'function handler(event) { return event[0] }',
    image,
  });
  const run = store.addRun({ function: fn, parameters: '((5,),)', bidPrice: 0.5, baseGpu: 'gpu-new' });
  await vi.waitFor(() => expect(house.log.join('')).toContain('gpu-unknown'), 10_000);
  // Nothing is asked for meanwhile.
  expect(catalogues()).toBe(1);
  later = 600_000;
  await vi.waitFor(() => expect(store.jobsOf(run)[0]?.result).toBe('5'), 10_000);
  expect(catalogues()).toBe(2);
  await opened.agent.stop();
  await running;
  await opened.close();
}, 40_000);
