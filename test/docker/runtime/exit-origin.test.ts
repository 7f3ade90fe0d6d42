import { expect, test } from 'vitest';
import { describeDocker } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);

describeDocker('a container that', (engine) => {
  test.each<[string, string, number, string]>([
    ['fails', 'exit 3', 3, 'job'],
    ['kills itself', 'kill -9 $$', 137, 'job'],
  ])('%s has ended by itself', async (_, code, exitCode, exitOrigin) => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, code);
    const { exit } = await job.run();
    expect(exit).toMatchObject({ code: exitCode, exitOrigin, oomKilled: false });
  });

  test('somebody kills at the engine has not ended by itself', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'sleep 600');
    await at.runtime.start(job.id);
    const ended = at.runtime.wait(job.id, soon());
    await engine.docker.getContainer(job.id).kill();
    expect(await ended).toMatchObject({ code: 137, exitOrigin: 'external', oomKilled: false });
    // The same for one who asks later.
    expect(await at.runtime.wait(job.id, soon())).toMatchObject({ exitOrigin: 'external' });
  });
});
