import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { BUSYBOX, describeOwnEngine } from '../../support/engine/docker.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

describeOwnEngine('an engine with userns-remap', () => {
  test('runs a job as a user that is nobody on the host', async () => {
    await using engine = await PrivateEngine.open();
    // Its directory is private, and the engine's root is another user.
    await chmod(dirname(new URL(engine.host).pathname), 0o711);
    await engine.start({ liveRestore: false, config: { 'userns-remap': 'default' } });
    const at = testRuntime(engine.host);
    await at.runtime.images.prepare(BUSYBOX, AbortSignal.timeout(60_000));
    await using job = await TestJob.create(engine, at, 'id -u; cat /proc/self/uid_map');
    const { exit, stderr, stdout } = await job.run();
    expect([exit.code, stderr.toString()]).toEqual([0, '']);
    const [user, map = ''] = stdout.toString().trim().split('\n');
    expect(user).toBe('65534');
    expect(map.trim().split(/\s+/)[1]).not.toBe('0');
  });
});
