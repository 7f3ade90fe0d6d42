import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const MIB = 1024 * 1024;

/** Octal escapes, as `printf` in a shell takes them. */
function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

describeDocker('a job’s output', (engine) => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['no newline at the end', Buffer.from('abc')],
    ['only newlines', Buffer.from('\n\n\n')],
    ['carriage returns and NULs', Buffer.from('a\r\nb\rc\0d\0\n')],
    ['every byte, in no valid UTF-8', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    [
      'what looks like a frame of the engine’s own',
      Buffer.from([1, 0, 0, 0, 0, 0, 0, 5, 104, 105, 10, 2, 0]),
    ],
  ])('comes through to the byte: %s', async (_, bytes) => {
    const at = testRuntime(engine.host);
    const code = `printf '${escaped(bytes)}'; printf '${escaped(bytes)}' >&2`;
    await using job = await TestJob.create(engine, at, code);
    const { stdout, stderr } = await job.run();
    expect(stdout).toEqual(bytes);
    expect(stderr).toEqual(bytes);
  });

  test('comes through to the byte again when it is asked for after the end', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(engine, at, 'seq 1 5000; echo end >&2');
    const first = await job.run();
    expect(first.stdout.toString()).toMatch(/^1\n2\n[^]*\n5000\n$/);
    expect(await job.output()).toEqual({ stdout: first.stdout, stderr: first.stderr });
  });

  test('is one line of 20 MB between two streams, each in its order', async () => {
    const at = testRuntime(engine.host);
    const code = `yes 0123456789 | head -c ${20 * MIB} | tr -d '\\n'; echo; echo done >&2; echo last`;
    await using job = await TestJob.create(engine, at, code);
    const { stdout, stderr } = await job.run();
    const line = Buffer.from('0123456789\n'.repeat(2 * MIB))
      .subarray(0, 20 * MIB)
      .toString()
      .replaceAll('\n', '');
    expect(hash(stdout)).toBe(hash(Buffer.from(`${line}\nlast\n`)));
    expect(stderr.toString()).toBe('done\n');
  });

  test('is a flood that the engine’s log cannot hold: every byte of it where it is read as it comes', async () => {
    const at = testRuntime(engine.host);
    const code = `yes ${'x'.repeat(99)} | head -c ${200 * MIB} | tee /dev/stderr; echo TAIL`;
    await using job = await TestJob.create(engine, at, code);
    await at.runtime.start(job.id);
    const hashes = { stdout: createHash('sha256'), stderr: createHash('sha256') };
    await at.runtime.follow(
      job.id,
      (stream, bytes) => hashes[stream].update(bytes),
      AbortSignal.timeout(150_000),
    );
    const printed = Buffer.alloc(200 * MIB, `${'x'.repeat(99)}\n`);
    expect(hashes.stderr.digest('hex')).toBe(hash(printed));
    expect(hashes.stdout.digest('hex')).toBe(hash(Buffer.concat([printed, Buffer.from('TAIL\n')])));
  });

  test('does not hold the job back where nobody reads it', async () => {
    const at = testRuntime(engine.host);
    await using job = await TestJob.create(
      engine,
      at,
      `yes ${'x'.repeat(999)} | head -c ${20 * MIB}; echo; echo TAIL`,
    );
    await at.runtime.start(job.id);
    const exit = await at.runtime.wait(job.id, AbortSignal.timeout(60_000));
    expect(exit.code).toBe(0);
    expect((await job.output()).stdout.subarray(-6).toString()).toBe('\nTAIL\n');
  });

  test('of a job that closes it and goes on is whole all the same', async () => {
    const at = testRuntime(engine.host);
    const code = 'echo all; echo said >&2; exec >/dev/null 2>&1; sleep 3; echo unheard; exit 4';
    await using job = await TestJob.create(engine, at, code);
    const { exit, stderr, stdout } = await job.run();
    expect([exit.code, stdout.toString(), stderr.toString()]).toEqual([4, 'all\n', 'said\n']);
  });

  test('is a flood that the engine’s log cannot hold, read from there: the head, the last bytes, and no hang', async () => {
    const at = testRuntime(engine.host);
    const code = `echo HEAD; sleep 1; yes ${'x'.repeat(1000)} | head -c ${400 * MIB}; echo; echo TAIL`;
    await using job = await TestJob.create(engine, at, code);
    await at.runtime.start(job.id);
    const seen = { bytes: 0, head: '', tail: '' };
    // Another runtime than the one that started it, so that it reads the log.
    await testRuntime(engine.host).runtime.follow(
      job.id,
      (_, bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        if (seen.bytes < 5) seen.head += text;
        seen.tail = (seen.tail + text).slice(-20);
        seen.bytes += bytes.length;
      },
      AbortSignal.timeout(150_000),
    );
    expect(seen.head.slice(0, 5)).toBe('HEAD\n');
    expect(seen.tail).toMatch(/x\n\nTAIL\n$|x\nTAIL\n$/);
    expect(seen.bytes).toBeGreaterThan(20 * MIB);
    expect(seen.bytes).toBeLessThanOrEqual(400 * MIB + 11);
  });

  test('of a real Python program is there before the program ends', async () => {
    const at = testRuntime(engine.host);
    const code = 'import time\nprint("early", flush=True)\ntime.sleep(600)';
    await using job = await TestJob.create(engine, at, code, { image: PYTHON });
    await at.runtime.start(job.id);
    const enough = new AbortController();
    const early: string[] = [];
    await at.runtime.follow(
      job.id,
      (_, bytes) => {
        early.push(Buffer.from(bytes).toString());
        enough.abort();
      },
      AbortSignal.any([enough.signal, AbortSignal.timeout(60_000)]),
    );
    expect(early).toEqual(['early\n']);
  });
});

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
