import { describe, expect, test } from 'vitest';
import type { OfferPlan } from '../../../src/domain/offer.ts';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { clientOf, failure, never, TOKEN } from '../../support/broker-client/client.ts';

const PLAN: OfferPlan = {
  key: 'cpu',
  kind: 'cpu',
  name: 'rig cpu',
  gpu: null,
  cudaCores: 0,
  wholeGpu: false,
  askPrice: 0.01,
  slots: [{ id: 'cpu#0', gpu: null }],
};

async function market() {
  const embedded = new EmbeddedBroker({ token: TOKEN, leaseSeconds: 60 });
  const url = await embedded.listen();
  const client = clientOf(url);
  const image = embedded.store.addImage({
    registryPath: 'sharedcloud/python36:latest',
    requiresGpu: false,
    runtime: 'python36',
  });
  const fn = embedded.store.addFunction({ name: 'hello', code: 'def handler(event): return 42', image });
  const addRun = (parameters: string, bidPrice = 0.02): string =>
    embedded.store.addRun({ function: fn, parameters, bidPrice });
  return {
    addRun,
    broker: client.broker,
    fn,
    image,
    embedded,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await embedded.close();
    },
  };
}

describe('against the embedded broker', () => {
  test('an instance is registered, a run polled, and its jobs claimed, reported and released', async () => {
    await using at = await market();
    const { broker } = at;
    const run = at.addRun('((1,), (2,))');
    const instance = await broker.createInstance(PLAN, never);
    expect(instance).toMatchObject({
      name: 'rig cpu',
      kind: 'cpu',
      gpu: null,
      askPrice: 0.01,
      maxParallelJobs: 1,
    });
    expect((await broker.updateInstance(instance.uuid, { ...PLAN, askPrice: 0.015 }, never)).askPrice).toBe(
      0.015,
    );
    await broker.startInstance(instance.uuid, never);
    await broker.addImage(instance.uuid, 'sharedcloud/python36:latest', never);
    expect(await broker.instance(instance.uuid, never)).toMatchObject({ available: true });
    expect(at.embedded.store.instances.all()).toMatchObject([
      { uuid: instance.uuid, downloadedImages: ['sharedcloud/python36:latest'] },
    ]);
    expect((await broker.instances(never)).items.map(({ uuid }) => uuid)).toContain(instance.uuid);

    const polled = await broker.runs({
      instance: instance.uuid,
      etag: undefined,
      waitSeconds: 0,
      signal: never,
    });
    expect(polled.invalid).toEqual([]);
    expect(polled.runs).toMatchObject([
      { uuid: run, functionUuid: at.fn, numJobs: 2, bidPrice: 0.02, baseGpu: null },
    ]);
    expect(await broker.run(run, never)).toMatchObject({ uuid: run });
    expect((await broker.function(at.fn, never))?.spec).toMatchObject({
      imageUuid: at.image,
      runtime: 'python36',
    });
    expect(await broker.image(at.image, never)).toMatchObject({ requiresGpu: false });

    const [job, other] = (await broker.openJobs(run, never)).items;
    if (job === undefined || other === undefined) throw new Error('two jobs should be open');
    expect(await broker.claim(job.uuid, instance.uuid, never)).toMatchObject({
      kind: 'claimed',
      job: { uuid: job.uuid, arguments: '(1,)', leaseSeconds: 60 },
    });
    expect(await broker.claim(job.uuid, instance.uuid, never)).toMatchObject({ kind: 'claimed' });
    expect((await broker.heldJobs(instance.uuid, never)).items.map(({ uuid }) => uuid)).toEqual([job.uuid]);

    const report = { status: 3, buildLogs: '', stdout: 'hi\n', stderr: '', result: '42' } as const;
    expect(await broker.report(job.uuid, instance.uuid, report, never)).toMatchObject({ kind: 'taken' });
    expect(await broker.report(job.uuid, instance.uuid, report, never)).toMatchObject({ kind: 'taken' });
    expect(at.embedded.store.job(job.uuid)).toMatchObject({ status: 3, stdout: 'hi\n', result: '42' });

    await broker.claim(other.uuid, instance.uuid, never);
    expect(await broker.release(other.uuid, instance.uuid, never)).toMatchObject({ kind: 'taken' });
    expect((await broker.openJobs(run, never)).items.map(({ uuid }) => uuid)).toEqual([other.uuid]);
    await broker.stopInstance(instance.uuid, never);
    expect((await broker.instance(instance.uuid, never))?.available).toBe(false);
  });

  test('claims and reports are lost, underbid or gone', async () => {
    await using at = await market();
    const { broker } = at;
    const run = at.addRun('((1,),)');
    const first = await broker.createInstance(PLAN, never);
    const second = await broker.createInstance({ ...PLAN, name: 'rig 2' }, never);
    const expensive = await broker.createInstance({ ...PLAN, name: 'rig 3', askPrice: 5 }, never);
    for (const { uuid } of [first, second, expensive]) await broker.startInstance(uuid, never);
    const [job] = (await broker.openJobs(run, never)).items;
    if (job === undefined) throw new Error('a job should be open');
    expect(await broker.claim(job.uuid, expensive.uuid, never)).toEqual({ kind: 'underbid' });
    expect(await broker.claim(job.uuid, first.uuid, never)).toMatchObject({ kind: 'claimed' });
    expect(await broker.claim(job.uuid, second.uuid, never)).toEqual({ kind: 'lost' });
    const report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '' } as const;
    expect(await broker.report(job.uuid, second.uuid, report, never)).toEqual({ kind: 'not-ours' });
    at.embedded.store.deleteRun(run, { evenInProgress: true });
    expect(await broker.report(job.uuid, first.uuid, report, never)).toEqual({ kind: 'gone' });
    expect(await broker.claim(job.uuid, first.uuid, never)).toEqual({ kind: 'gone' });
    expect(await broker.run(run, never)).toBeUndefined();
    expect((await broker.heldJobs(first.uuid, never)).items).toEqual([]);
  });

  test('a held poll is answered when the market changes', async () => {
    await using at = await market();
    const { uuid } = await at.broker.createInstance(PLAN, never);
    const query = { instance: uuid, waitSeconds: 25, signal: never };
    const before = await at.broker.runs({ ...query, etag: undefined });
    const held = at.broker.runs({ ...query, etag: before.etag });
    const run = at.addRun('((1,),)');
    const after = await held;
    expect(after).toMatchObject({ unchanged: false, waited: true, runs: [{ uuid: run }] });
    expect(await at.broker.runs({ ...query, waitSeconds: 0, etag: after.etag })).toMatchObject({
      unchanged: true,
    });
  });

  test('the catalogue and the clock are read', async () => {
    await using at = await market();
    const { items } = await at.broker.gpus(never);
    expect(items).toContainEqual(expect.objectContaining({ codename: 'titanv', cudaCores: 5120 }));
    const clock = await at.broker.clock(never);
    // Both are this machine's clock, read in milliseconds a moment apart.
    expect(Math.abs((clock?.brokerMs ?? 0) - (clock?.localMs ?? 0))).toBeLessThan(60_000);
  });

  test('a wrong token is BROKER_UNAUTHORIZED with the broker’s text', async () => {
    await using embedded = new EmbeddedBroker({ token: 'another' });
    await using client = clientOf(await embedded.listen());
    const error = await failure(client.broker.gpus(never));
    expect(error.code).toBe('BROKER_UNAUTHORIZED');
    expect(error.message).toContain('Invalid token.');
  });
});
