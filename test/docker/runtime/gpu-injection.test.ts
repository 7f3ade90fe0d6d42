import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUSYBOX, describeOwnEngine } from '../../support/engine/docker.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const GPU = 'GPU-11111111-2222-3333-4444-555555555555';
const OTHER = 'GPU-00000000-2222-3333-4444-555555555555';

describeOwnEngine('with the runtime nvidia, but no hook on Docker’s PATH,', () => {
  let engine: PrivateEngine;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'nvidia-runtime-'));
    const path = join(dir, 'nvidia-container-runtime');
    await writeFile(path, '#!/bin/sh\nexec runc "$@"\n', { mode: 0o755 });
    engine = await PrivateEngine.open();
    await engine.start({ liveRestore: false, config: { runtimes: { nvidia: { path } } } });
    await testRuntime(engine.host).runtime.images.prepare(BUSYBOX, AbortSignal.timeout(60_000));
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  test('a GPU that cannot be given in one way is given in the next, without a word from the owner', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'auto' });
    for (const gpu of [GPU, OTHER]) {
      {
        await using failing = await TestJob.create(engine, at, 'true', { gpu });
        const error = await rejection(at.runtime.start(failing.id));
        expect(error).toMatchObject({ code: 'GPU_INJECTION_FAILED', exit: 6 });
        expect(error.hint).toContain('nvidia-container-runtime-hook');
      }
      await using job = await TestJob.create(engine, at, 'env', { gpu });
      const { stdout } = await job.run();
      expect(stdout.toString()).toContain(`NVIDIA_VISIBLE_DEVICES=${gpu}`);
    }
  });

  test('the way that the owner chose is the only one', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'device-requests' });
    for (const _ of [1, 2]) {
      await using job = await TestJob.create(engine, at, 'true', { gpu: GPU });
      expect(await rejection(at.runtime.start(job.id))).toMatchObject({ code: 'GPU_INJECTION_FAILED' });
    }
  });
});
