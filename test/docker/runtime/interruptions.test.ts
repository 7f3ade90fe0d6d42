import { expect, test } from 'vitest';
import { describeDocker } from '../../support/engine/docker.ts';
import { EngineProxy } from '../../support/engine/engine-proxy.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

describeDocker('an engine whose connections break', (engine) => {
  test('loses neither the end nor a byte of a job, and repeats none', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const at = testRuntime(proxy.host);
    const code =
      'i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.05; done; exit 9';
    await using job = await TestJob.create(engine, at, code);
    await at.runtime.start(job.id);
    const printed = { stdout: '', stderr: '' };
    let cuts = 0;
    const enough = AbortSignal.timeout(60_000);
    const following = at.runtime.follow(
      job.id,
      (stream, bytes) => {
        printed[stream] += Buffer.from(bytes).toString();
        if (!/ \d?5\n$/.test(printed.stdout)) return;
        cuts += 1;
        proxy.cut();
      },
      enough,
    );
    const [exit] = await Promise.all([at.runtime.wait(job.id, enough), following]);
    const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
    expect(exit.code).toBe(9);
    expect(printed.stdout).toBe(numbers.map((number) => `out ${number}\n`).join(''));
    expect(printed.stderr).toBe(numbers.map((number) => `err ${number}\n`).join(''));
    expect(cuts).toBeGreaterThan(1);
  });

  test('is asked again at once for an end that it broke off to wait for', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const at = testRuntime(proxy.host);
    await using job = await TestJob.create(engine, at, 'sleep 600');
    await at.runtime.start(job.id);
    const over = new AbortController();
    const ended = at.runtime.wait(job.id, over.signal);
    await expect.poll(() => proxy.count('wait')).toBe(1);
    proxy.cut();
    await expect.poll(() => proxy.count('wait'), { timeout: 5_000 }).toBe(2);
    over.abort();
    await expect(ended).rejects.toBe(over.signal.reason);
  });
});

describeDocker('an engine', (engine) => {
  test('is described in a line for people', async () => {
    const { runtime } = testRuntime(engine.host);
    expect(await runtime.probe(AbortSignal.timeout(10_000))).toMatch(
      /^Docker \d+\.\d+\.\d+, runc \d+\.\d+\.\d+, \w+/,
    );
  });

  test('without the owner’s runtime cannot run jobs', async () => {
    const { runtime } = testRuntime(engine.host, { limits: { runtime: 'no-such-runtime' } });
    const error = await rejection(runtime.probe(AbortSignal.timeout(10_000)));
    expect(error.code).toBe('RUNTIME_UNAVAILABLE');
    expect(error.message).toContain('no-such-runtime');
    expect(error.mend).toContain('daemon.json');
  });

  test('runs no job twice', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'echo once');
    await job.run();
    const error = await rejection(at.runtime.start(job.id));
    expect([error.code, error.message]).toEqual(['RUNTIME_FAILED', `container ${job.id} has run already`]);
    expect((await job.output()).stdout.toString()).toBe('once\n');
  });
});
