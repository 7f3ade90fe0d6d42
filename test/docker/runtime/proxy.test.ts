import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { describeDocker } from '../../support/engine/docker.ts';
import { haproxyBefore } from '../../support/engine/haproxy.ts';
import { HostileRegistry } from '../../support/engine/hostile-registry.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';
import { TcpProxy } from '../../support/faults/tcp-proxy.ts';

/** nginx refuses request lines over 1 kB by default in its smallest configuration; HAProxy takes 15 kB. */
const MAX_REQUEST_LINE = 1000;

describeDocker('behind HAProxy, an engine', (engine) => {
  test('runs a job whose code is large, with short request lines only', async () => {
    await using haproxy = await haproxyBefore(engine.host);
    await using recorder = await TcpProxy.openUnix(haproxy.host);
    const lines: string[] = [];
    recorder.plan = (line) => {
      lines.push(line);
      return 'pass';
    };
    const at = testRuntime(recorder.url);
    const code = `echo done; : ${'x'.repeat(100_000)}`;
    const { image } = testPlan();
    await at.runtime.probe(AbortSignal.timeout(20_000));
    await at.runtime.images.prepare(image, AbortSignal.timeout(60_000));
    {
      await using job = await TestJob.create(engine, at, code);
      const { exit, stdout } = await job.run();
      expect([exit.code, stdout.toString()]).toEqual([0, 'done\n']);
      await at.runtime.diskBytes(job.id, AbortSignal.timeout(20_000));
    }
    await using stopped = await TestJob.create(engine, at, 'sleep 600');
    await at.runtime.start(stopped.id);
    expect(await at.runtime.list()).toHaveLength(1);
    await at.runtime.stop(stopped.id, 0);
    const { code: exitCode } = await at.runtime.wait(stopped.id, AbortSignal.timeout(60_000));
    expect([137, 143]).toContain(exitCode);
    expect(lines.filter((line) => line.length > MAX_REQUEST_LINE)).toEqual([]);
    expect(lines.filter((line) => line.startsWith('POST /containers/create?'))).toHaveLength(2);
  });

  test('whose images its proxy does not list pulls them, and they count as the owner’s', async () => {
    await using haproxy = await haproxyBefore(engine.host, [
      'http-request deny if { path_end /images/json }',
    ]);
    await using registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const { runtime } = testRuntime(haproxy.host);
    expect(await runtime.images.prepare(ref, AbortSignal.timeout(60_000))).not.toHaveProperty('broughtId');
    expect((await rejection(runtime.imageStore.list(AbortSignal.timeout(20_000)))).code).toBe(
      'RUNTIME_FAILED',
    );
    await engine.docker.getImage(ref).remove();
  });

  test('that its proxy shields from a call is named as shielded', async () => {
    const deny = 'http-request deny if { method POST } { path_end /containers/create }';
    await using haproxy = await haproxyBefore(engine.host, [deny]);
    const at = testRuntime(haproxy.host);
    const error = await rejection(at.runtime.create(testPlan()));
    expect(error).toMatchObject({
      code: 'RUNTIME_FAILED',
      hint: expect.stringContaining('proxy') as unknown,
    });
    expect(error.message).toContain('403');
  });
});
