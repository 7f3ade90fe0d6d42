import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BUSYBOX, describeDocker, describeGpuStandIn, imageWith } from '../../support/engine/docker.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const GPU = 'GPU-11111111-2222-3333-4444-555555555555';

/** A GPU that the CDI spec of the newer engine's stand-in has. */
const LISTED = 'GPU-11111111-aaaa-4bbb-8ccc-111111111111';

describeDocker('what a job sees from inside', (engine) => {
  const inside = async (code: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, code, { env: { ...env, CODE: code } });
    return (await job.run()).stdout.toString().trim();
  };

  test('a user that is nobody, without any capability or a way to more', async () => {
    const status = await inside('id -u; id -g; grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status');
    expect(status.split('\n').map((line) => line.replace(/\s+/g, ' '))).toEqual([
      '65534',
      '65534',
      ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => `${set}: 0000000000000000`),
      'NoNewPrivs: 1',
      'Seccomp: 2',
    ]);
  });

  test('its input, which it cannot change', async () => {
    const code =
      'cat /sharedcloud/event.json; (echo x >/sharedcloud/x) 2>&1; grep " /sharedcloud " /proc/mounts';
    const [event, refusal, mount] = (await inside(code)).split(/(?<=\])|\n/);
    expect(event).toBe('[1, 2]');
    expect(refusal).toContain('Read-only file system');
    expect(mount).toMatch(/ \/sharedcloud \S+ ro,/);
  });

  test('its limits', async () => {
    const code = [
      'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
      'cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max',
      'tr " " "\\n" </sys/fs/cgroup/cpu.max 2>/dev/null | head -n 1 || true',
      'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || true',
      'ulimit -Hc; ulimit -Hf; ulimit -Hn; cat /proc/self/oom_score_adj; df -k /dev/shm | tail -n 1',
    ].join('; ');
    const [memory, pids, cpu, core, file, files, oom, shm] = (await inside(code)).split('\n');
    expect([memory, pids, cpu, core, files, oom]).toEqual(['134217728', '64', '100000', '0', '4096', '500']);
    // In blocks of 512 bytes.
    expect(file).toBe('2097152');
    expect(shm?.split(/\s+/)[1]).toBe('32768');
  });

  test('no network but its own loopback', async () => {
    expect(await inside('ls /sys/class/net')).toBe('lo');
  });

  test('the environment that it was given, with a home that it may write to', async () => {
    const env = await inside('env; echo x >"$HOME/x" && echo written', {
      EXTRA: 'a=b\nc',
      LD_PRELOAD: '/x.so',
    });
    expect(env.split('\n')).toEqual(
      expect.arrayContaining([
        'EXTRA=a=b',
        'HOME=/tmp',
        'TMPDIR=/tmp',
        'NVIDIA_VISIBLE_DEVICES=void',
        'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
        'written',
      ]),
    );
    expect(env).not.toContain('LD_PRELOAD');
  });

  test('a process limit that a fork bomb does not pass', async () => {
    const at = testRuntime(engine.host, { limits: { pidsLimit: 20 } });
    await using job = await TestJob.create(engine, at, 'b() { b | b & }; b; sleep 1; echo alive');
    const { exit } = await job.run();
    expect(exit.oomKilled).toBe(false);
  });
});

describeDocker('an image that fights back', (engine) => {
  test('gets nothing of what it asks for', async () => {
    const at = testRuntime(engine.host);
    await using image = await imageWith(engine, BUSYBOX, `sharedcloud-test/${randomUUID()}`, [
      'ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all NVIDIA_REQUIRE_CUDA=x',
      'ENV LD_PRELOAD=/evil.so LD_LIBRARY_PATH=/evil DOCKER_HOST=tcp://evil HOME=/root',
      'USER root',
      'VOLUME /data',
      'HEALTHCHECK --interval=1s CMD touch /tmp/unhealthy',
      'LABEL sharedcloud.agent=somebody-else sharedcloud.job=another proxy.enable=true',
      'ONBUILD RUN touch /tmp/built',
      'EXPOSE 80',
      'ENTRYPOINT ["/bin/sh", "-c", "echo entered; exec \\"$@\\"", "entry"]',
    ]);
    const code = 'id -u; env | sort; sleep 2; ls /tmp';
    await using job = await TestJob.create(engine, at, code, { image: image.ref });
    const { stdout } = await job.run();
    const [entered, user, ...seen] = stdout.toString().trim().split('\n');
    expect([entered, user]).toEqual(['entered', '65534']);
    expect(seen.filter((line) => /^(?:NVIDIA|LD|DOCKER)_/.test(line))).toEqual([
      'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
      'NVIDIA_VISIBLE_DEVICES=void',
    ]);
    expect(seen).toContain('HOME=/tmp');
    expect(seen).not.toContain('unhealthy');
    expect(seen).not.toContain('built');
    const made = await engine.docker.getContainer(job.id).inspect();
    expect(made.Config.Labels).toMatchObject({
      'sharedcloud.agent': at.agentId,
      'sharedcloud.job': job.plan.job,
      'proxy.enable': '',
    });
    expect(made.Config).toMatchObject({ StopSignal: 'SIGTERM' });
    expect(made.HostConfig.PortBindings ?? {}).toEqual({});
    expect(made.State.Health).toBeUndefined();
    expect(made.Mounts.map(({ Destination }) => Destination)).toEqual(['/sharedcloud']);
  });

  test('is refused when it wants a volume over what the container needs', async () => {
    const at = testRuntime(engine.host);
    const name = `sharedcloud-test/${randomUUID()}`;
    await using image = await imageWith(engine, BUSYBOX, name, ['VOLUME /proc']);
    const creating = TestJob.create(engine, at, 'true', { image: image.ref });
    await expect(creating).rejects.toMatchObject({ code: 'IMAGE_REFUSED' });
  });
});

describeGpuStandIn('a job’s GPU', (engine, standIn) => {
  test('is asked for by its uuid, with named capabilities', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'env', { gpu: GPU });
    const { stdout } = await job.run();
    expect(stdout.toString().split('\n')).toContain(`NVIDIA_VISIBLE_DEVICES=${GPU}`);
    const asked = (await readFile(join(standIn, 'gpu-hook', job.id), 'utf8')).trim().split('\n');
    expect(asked[0]).toBe('arguments prestart');
    expect(new Set(asked.filter((line) => line.includes('VISIBLE')))).toEqual(
      new Set([`environment NVIDIA_VISIBLE_DEVICES=${GPU}`]),
    );
    expect(asked.at(-1)).toBe('environment NVIDIA_DRIVER_CAPABILITIES=compute,utility');
  });

  test('comes by CDI if the engine lists its uuid, and otherwise by a device request', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'auto' });
    const { cdi } = await at.runtime.facts(AbortSignal.timeout(20_000));
    for (const gpu of [GPU, LISTED]) {
      await using job = await TestJob.create(engine, at, 'env', { gpu });
      const { stdout } = await job.run();
      const isListed = cdi.devices?.includes(`nvidia.com/gpu=${gpu}`) === true;
      const given = isListed
        ? ['NVIDIA_VISIBLE_DEVICES=void', `STAND_IN_GPU=${gpu}`]
        : [`NVIDIA_VISIBLE_DEVICES=${gpu}`];
      expect(stdout.toString().split('\n')).toEqual(expect.arrayContaining(given));
    }
  });

  test('is given by the legacy runtime where the owner says so', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'runtime' });
    await using job = await TestJob.create(engine, at, 'env', { gpu: GPU });
    const { stdout } = await job.run();
    expect(stdout.toString().split('\n')).toContain(`NVIDIA_VISIBLE_DEVICES=${GPU}`);
    expect(await readFile(join(standIn, 'gpu-runtime', job.id), 'utf8')).toContain('create');
  });

  test('is not there for a CPU job, in whatever mode', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'runtime' });
    await using job = await TestJob.create(engine, at, 'env');
    await job.run();
    await expect(readFile(join(standIn, 'gpu-runtime', job.id))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readFile(join(standIn, 'gpu-hook', job.id))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('is named in the error where the engine has no way to give it', async () => {
    const at = testRuntime(engine.host, { gpuMode: 'cdi' });
    await using job = await TestJob.create(engine, at, 'env', { gpu: GPU });
    const error = await rejection(at.runtime.start(job.id));
    expect(error.code).toBe('GPU_INJECTION_FAILED');
  });
});
