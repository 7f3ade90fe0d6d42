import { randomUUID } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imagePlatform } from '../../../src/domain/image-platform.ts';
import { createContainer } from '../../../src/runtime/docker/container/create.ts';
import { containerSpec } from '../../../src/runtime/docker/container/spec.ts';
import { ENGINE_DEADLINES } from '../../../src/runtime/docker/engine/call.ts';
import { BUSYBOX, describeDocker, imageWith } from '../../support/engine/docker.ts';
import { EngineProxy } from '../../support/engine/engine-proxy.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const MIB = 1024 * 1024;
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

describeDocker('a container’s life', (engine) => {
  test('is created, listed, started, waited for and removed', async () => {
    const at = testRuntime(engine.host);
    const before = Date.now();
    await using job = await TestJob.create(engine, at, 'echo out; echo err >&2; exit 7');
    expect(await at.runtime.list()).toEqual([
      { id: job.id, job: job.plan.job, state: 'created', startedAt: undefined },
    ]);
    const { exit, stdout, stderr } = await job.run();
    expect(stdout.toString()).toBe('out\n');
    expect(stderr.toString()).toBe('err\n');
    expect(exit).toMatchObject({ code: 7, oomKilled: false });
    expect(exit.startedAt).toBeGreaterThanOrEqual(before - 1000);
    expect(exit.finishedAt).toBeGreaterThanOrEqual(exit.startedAt);
    expect(await at.runtime.list()).toEqual([
      { id: job.id, job: job.plan.job, state: 'exited', startedAt: exit.startedAt },
    ]);
    await at.runtime.remove(job.id);
    await at.runtime.remove(job.id);
    await expect(at.runtime.wait(job.id, soon())).rejects.toMatchObject({ code: 'CONTAINER_GONE' });
    await expect(at.runtime.start(job.id)).rejects.toMatchObject({ code: 'CONTAINER_GONE' });
  });

  // On a busy machine, a wait may take longer than one call.
  test('takes eight calls, of which three inspect: after creation, start and end', { retry: 3 }, async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const at = testRuntime(proxy.host);
    await at.runtime.images.find(BUSYBOX);
    await using job = await TestJob.create(engine, at, 'sleep 1; echo done');
    expect((await job.run()).stdout.toString()).toBe('done\n');
    await at.runtime.remove(job.id);
    const names = ['create', 'inspect', 'attach', 'start', 'wait', 'remove'];
    expect(names.map((name) => proxy.count(name))).toEqual([1, 3, 1, 1, 1, 1]);
  });

  test('says that memory ran out', async () => {
    const at = testRuntime(engine.host);
    const resources = { memoryBytes: 32 * MIB, cpus: 1 };
    const code = 'x=0123456789abcdef; while :; do x="$x$x"; done';
    await using job = await TestJob.create(engine, at, code, { resources });
    expect((await job.run()).exit.code).toBe(137);
    // The engine may hear of the exit before it hears of the memory.
    await expect.poll(() => at.runtime.wait(job.id, soon())).toMatchObject({ code: 137, oomKilled: true });
  });

  test('can be stopped twice and killed when it ignores being asked', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'trap "" TERM; echo up; while :; do sleep 1; done');
    await at.runtime.start(job.id);
    await printed(at.runtime, job.id);
    await Promise.all([at.runtime.stop(job.id, 300), at.runtime.stop(job.id, 300)]);
    expect(await at.runtime.wait(job.id, soon())).toMatchObject({ code: 137, oomKilled: false });
    await at.runtime.stop(job.id, 300);
  });

  test('ends when it is killed, although hundreds of processes share a hundredth of a processor', async () => {
    const at = testRuntime(engine.host, { limits: { pidsLimit: 2_000 } });
    // They wait for the last of them, so that none is in the way of another's beginning.
    const each = '(: </tmp/go; while :; do :; done) &';
    const code = `mkfifo /tmp/go; for i in $(seq 400); do ${each} done; echo up; exec 3>/tmp/go; wait`;
    const resources = { memoryBytes: 512 * MIB, cpus: 1 };
    await using job = await TestJob.create(engine, at, code, { resources });
    await at.runtime.start(job.id);
    await printed(at.runtime, job.id);
    await engine.docker.getContainer(job.id).update({ NanoCpus: 1e7 });
    await at.runtime.stop(job.id, 300);
    expect(await at.runtime.wait(job.id, soon())).toMatchObject({ code: 137 });
  });

  test('gets the time that it needs to end by itself', async () => {
    const at = testRuntime(engine.host);
    const code = 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done';
    const resources = { memoryBytes: 512 * MIB, cpus: 1 };
    await using job = await TestJob.create(engine, at, code, { resources });
    await at.runtime.start(job.id);
    await printed(at.runtime, job.id);
    await at.runtime.stop(job.id, 30_000);
    expect(await at.runtime.wait(job.id, soon())).toMatchObject({ code: 3 });
    expect((await job.output()).stdout.toString()).toBe('up\nbye\n');
  });

  test('is waited for no longer than the signal says', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'sleep 600');
    await at.runtime.start(job.id);
    const reason = new Error('enough');
    const enough = new AbortController();
    const waiting = at.runtime.wait(job.id, enough.signal);
    const following = at.runtime.follow(job.id, () => undefined, enough.signal);
    enough.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await following;
  });

  test('cannot be made twice for one job', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'true');
    const error = await rejection(at.runtime.create(job.plan));
    expect(error.code).toBe('CONTAINER_NAME_TAKEN');
    expect(error.message).toContain(`sharedcloud-job-${job.plan.job}`);
  });

  test('is removed while it runs, by two at once', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'sleep 600');
    await at.runtime.start(job.id);
    await Promise.all([at.runtime.remove(job.id), at.runtime.remove(job.id)]);
    expect(await at.runtime.list()).toEqual([]);
  });

  test('belongs to its agent alone', async () => {
    const at = testRuntime(engine.host);
    const other = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'true');
    expect(await other.runtime.list()).toEqual([]);
    expect((await at.runtime.list()).map(({ id }) => id)).toEqual([job.id]);
  });

  test('is not taken for ours because its image says so', async () => {
    const at = testRuntime(engine.host);
    const labels = [`LABEL sharedcloud.agent=${at.agentId} sharedcloud.job=${randomUUID()}`];
    await using image = await imageWith(engine, BUSYBOX, `sharedcloud-test/${randomUUID()}`, labels);
    const stranger = await engine.docker.createContainer({ Image: image.ref });
    try {
      expect(await at.runtime.list()).toEqual([]);
    } finally {
      await stranger.remove({ force: true, v: true });
    }
  });

  test('shows how much it wrote to disk', async () => {
    const at = testRuntime(engine.host);
    const code = 'dd if=/dev/zero of=/tmp/x bs=1M count=5 2>/dev/null';
    await using job = await TestJob.create(engine, at, code);
    const { exit } = await job.run();
    expect(exit.code).toBe(0);
    const bytes = await at.runtime.diskBytes(job.id, soon());
    expect(bytes).toBeGreaterThanOrEqual(5 * 1024 * 1024);
    expect(bytes).toBeLessThan(6 * 1024 * 1024);
  });
});

describeDocker('a container that cannot be', (engine) => {
  test('has an image that is not here', async () => {
    const at = testRuntime(engine.host);
    const plan = testPlan({ image: `sha256:${'0'.repeat(64)}` });
    await expect(at.runtime.create(plan)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  test('has an input that is not here, which is not made either', async () => {
    const at = testRuntime(engine.host);
    const inputDir = `/nowhere-${randomUUID()}`;
    await expect(at.runtime.create(testPlan({ inputDir }))).rejects.toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
    });
  });

  test('has an image whose volume is a file', async () => {
    const at = testRuntime(engine.host);
    const name = `sharedcloud-test/${randomUUID()}`;
    await using image = await imageWith(engine, BUSYBOX, name, ['VOLUME /etc/passwd']);
    await using job = await TestJob.create(engine, at, 'true', { image: image.ref });
    await expect(at.runtime.start(job.id)).rejects.toMatchObject({ code: 'CONTAINER_UNSTARTABLE' });
    expect(await at.runtime.list()).toEqual([
      { id: job.id, job: job.plan.job, state: 'created', startedAt: undefined },
    ]);
  });

  test('has a command that is not there: it starts, and ends as a shell would say', async () => {
    const at = testRuntime(engine.host);
    const name = `sharedcloud-test/${randomUUID()}`;
    await using image = await imageWith(engine, BUSYBOX, name, ['CMD ["/no/such/thing"]']);
    await using job = await TestJob.create(engine, at, 'true', { image: image.ref });
    const { exit, stderr } = await job.run();
    expect(exit.code).toBe(127);
    expect(stderr.toString()).toContain('/no/such/thing');
  });
});

describeDocker('a container that was made otherwise than asked', (engine) => {
  test('is refused, and removed', async () => {
    await using input = await mkdtempDisposable(join(tmpdir(), 'sharedcloud-input-'));
    const plan = testPlan({ inputDir: input.path, resources: { memoryBytes: 64 * MIB, cpus: 1 } });
    const limits = {
      pidsLimit: 64,
      diskBytes: 64 * MIB,
      openFiles: 1024,
    };
    const image = {
      id: BUSYBOX,
      sizeBytes: 1,
      digests: [],
      platform: imagePlatform(),
      envNames: [],
      labels: [],
      ports: 0,
      volumes: [],
    };
    const spec = containerSpec(plan, {
      agentId: 'test',
      limits: { ...limits, user: '65534:65534', runtime: 'runc', dns: [] },
      gpuInjection: 'device-requests',
      image,
      diskQuota: false,
      seccomp: true,
    });
    const made = createContainer(engine.docker, spec, 'sha256:another', true, ENGINE_DEADLINES);
    const error = await rejection(made);
    expect(error.code).toBe('RUNTIME_REFUSED');
    expect(error.message).toContain('Image');
    await expect(engine.docker.getContainer(spec.name).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });
});

describeDocker('a container with volumes all the same', (engine) => {
  test('leaves none behind', async () => {
    const { runtime } = testRuntime(engine.host);
    const { id } = await engine.docker.createContainer({ Image: BUSYBOX, Volumes: { '/data': {} } });
    const { Mounts } = await engine.docker.getContainer(id).inspect();
    await runtime.remove(id);
    await expect(engine.docker.getVolume(Mounts[0]?.Name ?? '').inspect()).rejects.toMatchObject({
      statusCode: 404,
    });
  });
});

describeDocker('an image with volumes', (engine) => {
  test('gets memory of a limited size in their place', async () => {
    const at = testRuntime(engine.host);
    const name = `sharedcloud-test/${randomUUID()}`;
    await using image = await imageWith(engine, BUSYBOX, name, ['VOLUME /data', 'VOLUME /more']);
    const code = 'echo x >/data/x && cat /data/x; dd if=/dev/zero of=/data/y bs=1M count=32 2>&1';
    await using job = await TestJob.create(engine, at, code, { image: image.ref });
    const { stdout } = await job.run();
    expect(stdout.toString()).toMatch(/^x\n.*No space left/s);
    const { Mounts } = await engine.docker.getContainer(job.id).inspect();
    expect(Mounts.map(({ Destination }) => Destination)).toEqual(['/sharedcloud']);
  });
});

/** Waits until the container has printed something. */
async function printed(runtime: { follow: TestRuntime['follow'] }, id: string): Promise<void> {
  const enough = new AbortController();
  await runtime.follow(id, () => enough.abort(), AbortSignal.any([enough.signal, soon()]));
  expect(enough.signal.aborted).toBe(true);
}

type TestRuntime = ReturnType<typeof testRuntime>['runtime'];
