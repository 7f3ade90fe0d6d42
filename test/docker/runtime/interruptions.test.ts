import { expect, test } from 'vitest';
import { describeDocker } from '../../support/engine/docker.ts';
import { EngineProxy } from '../../support/engine/engine-proxy.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

describeDocker('an engine whose connections break', (engine) => {
  const COUNTING =
    'i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.05; done; exit 9';
  const lines = (word: string): string =>
    Array.from({ length: 60 }, (_, index) => `${word} ${index + 1}\n`).join('');

  test('loses neither the end nor a byte of a log, and repeats none', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const at = testRuntime(proxy.host);
    await using job = await TestJob.create(engine, at, COUNTING);
    await at.runtime.start(job.id);
    const printed = { stdout: '', stderr: '' };
    let cuts = 0;
    const enough = AbortSignal.timeout(60_000);
    // Another runtime than the one that started it, so that it reads the log.
    const following = testRuntime(proxy.host).runtime.follow(
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
    expect(exit.code).toBe(9);
    expect(printed.stdout).toBe(lines('out'));
    expect(printed.stderr).toBe(lines('err'));
    expect(cuts).toBeGreaterThan(1);
  });

  test('does not pass for the end of a job: its output is there from the first byte when it is asked for again', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const at = testRuntime(proxy.host);
    await using job = await TestJob.create(engine, at, COUNTING);
    await at.runtime.start(job.id);
    const enough = AbortSignal.timeout(60_000);
    const cutAtOnce = (): void => proxy.cut();
    const error = await rejection(at.runtime.follow(job.id, cutAtOnce, enough));
    expect([error.code, error.message]).toEqual([
      'RUNTIME_UNAVAILABLE',
      expect.stringMatching(/broke off|aborted|socket hang up/),
    ]);
    const { stdout, stderr } = await job.output();
    expect([stdout.toString(), stderr.toString()]).toEqual([lines('out'), lines('err')]);
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
    expect(error.hint).toContain('daemon.json');
  });

  test('runs no job twice', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'echo once');
    await job.run();
    const error = await rejection(at.runtime.start(job.id));
    expect(error.code).toBe('RUNTIME_FAILED');
    expect((await job.output()).stdout.toString()).toBe('once\n');
  });
});
