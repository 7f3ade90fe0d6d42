import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { engineKey } from '../../../src/domain/engine-identity.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { describeDocker } from '../../support/engine/docker.ts';
import { HostileRegistry } from '../../support/engine/hostile-registry.ts';
import { testRuntime } from '../../support/engine/runtime.ts';

describeDocker('an agent remembers the images that it pulled itself', (engine) => {
  test('by the engine and its id of them, and not those that were there before', async () => {
    await using registry = await HostileRegistry.start('honest');
    await using env = await TestEnv.open({ realTime: true });
    const [own, others] = [1, 2].map((n) => `${registry.host}/sharedcloud-test/${randomUUID()}-${n}:1`);
    if (own === undefined || others === undefined) throw new Error('no images');
    const { runtime } = testRuntime(engine.host);
    const key = engineKey(await runtime.identity(AbortSignal.timeout(10_000))) ?? '';
    for (const image of [own, others]) env.addRun('', '((1,),)', { image });
    const choices = {
      // One after the other: the second name is of an image that the first one brought.
      settings: { maxPulls: 1, imagePatterns: [`${registry.host}/*`] },
      runtime: (agentId: string) => testRuntime(engine.host, { agentId }).runtime,
    };
    await using agent = await env.start(choices);
    await env.until(() => expect(env.count('image-ready')).toBeGreaterThanOrEqual(2));
    const { Id: id } = await engine.docker.getImage(own).inspect();
    const pulls = agent.journal.images.pulls(key);
    expect(pulls.map(({ imageId }) => imageId)).toEqual([id, id]);
    expect(pulls.map(({ ref }) => ref).toSorted()).toEqual([own, others].toSorted());
    expect(pulls[0]?.bytes).toBeGreaterThan(0);
    expect((await runtime.imageStore.list(AbortSignal.timeout(10_000))).map((image) => image.id)).toContain(
      id,
    );
    await agent.stop();

    const before = env.count('image-ready');
    env.addRun('', '((1,),)', { image: own });
    await using next = await env.start(choices);
    await env.until(() => expect(env.count('image-ready')).toBeGreaterThan(before));
    expect(next.journal.images.pulls(key)).toEqual(pulls);
    await next.stop();
    await engine.docker.getImage(id).remove({ force: true });
  });
});
