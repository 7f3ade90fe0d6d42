import { expect, test } from 'vitest';
import { diskSpaceProblem } from '../../../src/agent/admission/resource-checks.ts';
import { engineKey } from '../../../src/domain/engine-identity.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { imageDisk } from '../../support/agent/image-disk.ts';
import { ImageHost, idOf } from '../../support/agent/image-host.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

const OLD = 'sharedcloud/old:latest';
const IDENTITY = { id: 'id', dataRoot: '/data', endpoint: 'unix:///run/docker.sock' };
const RETURNS = 'exports.handler = () => 1;';

test('claims that a full disk blocks go on once the agent has removed an image of its own', async () => {
  await using env = await TestEnv.open();
  const host = new ImageHost();
  host.add(OLD, 600);
  host.add('owner/huge:latest', 300);
  const agent = await env.open({
    settings: { once: false, minFreeBytes: 200 },
    runtime: (_, processes) => onHost(host, processes),
    admissionChecks: [
      { name: 'disk', why: () => diskSpaceProblem(['/data'], 200, () => host.disk().freeBytes) },
    ],
    imageDisk: imageDisk({ use: () => host.disk() }),
  });
  const engine = engineKey(IDENTITY) ?? '';
  agent.journal.images.addPull({
    engine,
    imageId: idOf(OLD),
    ref: OLD,
    pulledAt: 0,
    bytes: 600,
    removedAt: undefined,
  });
  const run = env.addRun(RETURNS, '((1,),)');
  void agent.run();
  await env.untilDone(run);
  expect(env.events.filter(({ kind }) => kind === 'image-evicted')).toMatchObject([
    { image: OLD, freedBytes: 600, reason: 'min-free-disk' },
  ]);
  expect([...host.kept.keys()]).toEqual([idOf('owner/huge:latest')]);
  expect(agent.journal.images.pulls(engine)[0]?.removedAt).toBeGreaterThan(0);
  await agent[Symbol.asyncDispose]();
});

test('an image that runs of past days wanted is pulled ahead, and counts as the agent’s own', async () => {
  await using env = await TestEnv.open();
  const host = new ImageHost(1e12);
  const agent = await env.open({
    settings: { once: false },
    runtime: (_, processes) => withOther(onHost(host, processes), { images: host.images }),
    imageDisk: imageDisk({ use: () => host.disk(), prefetch: true, costPerByte: 1e-6 }),
  });
  const { images } = agent.journal;
  const today = Math.floor(Date.now() / 86_400_000);
  const counts = { wanted: 50, tries: 9, wins: 9, earnedMicroDollars: 9_000, usedAt: undefined };
  images.addDays([{ ref: OLD, day: today - 1, ...counts }]);
  void agent.run();
  await env.untilEvent('image-ready');
  expect([...host.kept.keys()]).toEqual([idOf(OLD)]);
  expect(images.pulls(engineKey(IDENTITY) ?? '')).toMatchObject([{ ref: OLD, removedAt: undefined }]);
  await agent[Symbol.asyncDispose]();
});

/** A runtime whose jobs are local processes, on an engine with these images. */
function onHost(host: ImageHost, processes: Runtime): Runtime {
  return withOther(processes, {
    imageStore: host.store,
    storagePath: '/data',
    identity: () => Promise.resolve(IDENTITY),
  });
}
