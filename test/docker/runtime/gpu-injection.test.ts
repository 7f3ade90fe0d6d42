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

/** A CDI spec that has both GPUs, and a device node that is not there, as one from before an update of the driver. */
const STALE_SPEC = {
  cdiVersion: '0.5.0',
  kind: 'nvidia.com/gpu',
  devices: [GPU, OTHER].map((name) => ({
    name,
    containerEdits: { deviceNodes: [{ path: '/dev/nvidia9', hostPath: '/dev/no-such-nvidia9' }] },
  })),
};

describeOwnEngine('where the best way to give a GPU fails at the start,', () => {
  let engine: PrivateEngine;
  let dir: string;
  /** Of Docker with CDI, the stale spec; of an older one, device requests without a hook on its PATH. */
  let first: 'cdi' | 'device-requests';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'nvidia-runtime-'));
    const path = join(dir, 'nvidia-container-runtime');
    await writeFile(path, '#!/bin/sh\nexec runc "$@"\n', { mode: 0o755 });
    await writeFile(join(dir, 'nvidia.json'), JSON.stringify(STALE_SPEC));
    const config = { runtimes: { nvidia: { path } } };
    engine = await PrivateEngine.open();
    await engine.start({ liveRestore: false, config });
    first = (await engine.docker.version()).ApiVersion >= '1.50' ? 'cdi' : 'device-requests';
    if (first === 'cdi') {
      await engine.end('SIGTERM');
      const cdi = { 'cdi-spec-dirs': [dir], features: { cdi: true } };
      await engine.start({ liveRestore: false, config: { ...config, ...cdi } });
    }
    await testRuntime(engine.host).runtime.images.prepare(BUSYBOX, AbortSignal.timeout(60_000));
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  test('the next container gets the GPU in the next way', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'auto' });
    for (const gpu of [GPU, OTHER]) {
      {
        await using failing = await TestJob.create(engine, at, 'true', { gpu });
        const error = await rejection(at.runtime.start(failing.id));
        expect(error).toMatchObject({ code: 'GPU_INJECTION_FAILED', exit: 6 });
        expect(error.hint).toContain(
          first === 'cdi' ? 'nvidia-ctk cdi generate' : 'nvidia-container-runtime-hook',
        );
      }
      await using job = await TestJob.create(engine, at, 'env', { gpu });
      const { stdout } = await job.run();
      expect(stdout.toString()).toContain(`NVIDIA_VISIBLE_DEVICES=${gpu}`);
    }
  });

  test('the way that the owner chose is the only one', async () => {
    const at = testRuntime(engine.host, { gpuMode: first });
    for (const _ of [1, 2]) {
      await using job = await TestJob.create(engine, at, 'true', { gpu: GPU });
      expect(await rejection(at.runtime.start(job.id))).toMatchObject({ code: 'GPU_INJECTION_FAILED' });
    }
  });
});
