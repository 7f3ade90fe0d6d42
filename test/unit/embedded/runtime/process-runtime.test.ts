import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { AgentError } from '../../../../src/domain/errors.ts';
import { Bench, isAlive, MISSING, NODE, SHELL } from '../../../support/runtime-process/fixture.ts';

const forever = new AbortController().signal;

/** The code of the AgentError that `work` ends with; undefined where it ends well. */
async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (cause) {
    if (cause instanceof AgentError) return cause.code;
    throw cause;
  }
}

describe('images', () => {
  test('are the interpreters that were given, by any spelling of their name', async () => {
    const { images } = new Bench().runtime;
    const ready = { ref: 'docker.io/sharedcloud/node', id: NODE, sizeBytes: 0 };
    expect(await images.find('docker.io/sharedcloud/node')).toEqual(ready);
    expect(await images.prepare('docker.io/sharedcloud/node')).toEqual(ready);
    expect(await images.find('sharedcloud/node:8')).toBeUndefined();
    expect(await codeOf(images.prepare('sharedcloud/other'))).toBe('IMAGE_NOT_FOUND');
  });
});

describe('a job’s way', () => {
  test('from its making to its end', async () => {
    const bench = new Bench();
    const plan = bench.plan(NODE, 'console.log("out"); console.error("err"); process.exitCode = 3');
    const id = await bench.runtime.create(plan);
    const created = { id, job: plan.job, state: 'created', startedAt: undefined };
    expect(await bench.runtime.list()).toEqual([created]);
    const before = Date.now();
    await bench.runtime.start(id);
    const exit = await bench.runtime.wait(id, forever);
    expect(exit).toMatchObject({ code: 3, oomKilled: false });
    expect(exit.startedAt).toBeGreaterThanOrEqual(before);
    expect(exit.finishedAt).toBeGreaterThanOrEqual(exit.startedAt);
    expect(await bench.runtime.list()).toEqual([{ ...created, state: 'exited', startedAt: exit.startedAt }]);
    expect(await bench.runtime.wait(id, forever)).toEqual(exit);
    expect(await bench.output(id)).toEqual({ stdout: 'out\n', stderr: 'err\n' });
    await bench.runtime.remove(id);
    expect(await bench.runtime.list()).toEqual([]);
    expect(bench.files()).toEqual([]);
  });

  test('sees its own environment only', async () => {
    const bench = new Bench();
    const code = 'console.log(JSON.stringify({ env: process.env, cwd: process.cwd() }))';
    const hostVersions = z.object({ env: z.record(z.string(), z.string()), cwd: z.string() });
    const id = await bench.begin(
      NODE,
      'console.log(JSON.stringify({ env: process.env, cwd: process.cwd() }))',
      {
        inputDir: '/the/input',
        env: {
          CODE: code,
          SHAREDCLOUD_INPUT: '/sharedcloud',
          HOME: '/root',
          OWN: 'yes',
        },
      },
    );
    const { env, cwd } = hostVersions.parse(JSON.parse((await bench.output(id)).stdout));
    expect(cwd.startsWith(bench.workDir)).toBe(true);
    expect(env).toEqual({
      CODE: code,
      OWN: 'yes',
      SHAREDCLOUD_INPUT: '/the/input',
      HOME: cwd,
      TMPDIR: cwd,
      LANG: 'C.UTF-8',
      PATH: '/usr/local/bin:/usr/bin:/bin',
    });
  });

  test('a second process for the same job is refused and leaves nothing', async () => {
    const bench = new Bench();
    const plan = bench.plan(SHELL, 'true');
    const outcomes = await Promise.all([plan, plan].map((each) => codeOf(bench.runtime.create(each))));
    expect(new Set(outcomes)).toEqual(new Set(['RUNTIME_FAILED', undefined]));
    expect(bench.files()).toHaveLength(1);
  });

  test('starting twice runs it once', async () => {
    const bench = new Bench();
    const id = await bench.runtime.create(bench.plan(SHELL, 'echo once'));
    await Promise.all([bench.runtime.start(id), bench.runtime.start(id)]);
    await bench.runtime.wait(id, forever);
    await bench.runtime.start(id);
    expect((await bench.output(id)).stdout).toBe('once\n');
  });

  test('an interpreter that this machine does not have is the host’s fault', async () => {
    const bench = new Bench();
    const id = await bench.runtime.create(bench.plan(MISSING, ''));
    expect(await codeOf(bench.runtime.start(id))).toBe('RUNTIME_FAILED');
    expect((await bench.runtime.list())[0]?.state).toBe('created');
    await bench.runtime.remove(id);
    expect(bench.files()).toEqual([]);
  });

  test('an image that is none of ours has no jobs', async () => {
    const bench = new Bench();
    expect(await codeOf(bench.runtime.create(bench.plan('other:latest', '')))).toBe('IMAGE_NOT_FOUND');
  });

  test('what is gone is gone, and stopping or removing it again is nothing', async () => {
    const { runtime } = new Bench();
    const ignore = () => undefined;
    for (const call of [
      runtime.start('x'),
      runtime.wait('x', forever),
      runtime.follow('x', ignore, forever),
    ]) {
      expect(await codeOf(call)).toBe('CONTAINER_GONE');
    }
    expect(await codeOf(runtime.stop('x', 10))).toBeUndefined();
    expect(await codeOf(runtime.remove('x'))).toBeUndefined();
  });
});

describe('output', () => {
  test('comes while the job runs, from its first byte however late it is asked for', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'echo first; sleep 600');
    expect(await bench.printed(id, 'first')).toBe('first\n');
    expect(await bench.printed(id, 'first')).toBe('first\n');
    expect((await bench.runtime.list())[0]?.state).toBe('running');
  });

  test('is whole, however much and whatever it is', async () => {
    const bench = new Bench();
    const id = await bench.begin(
      NODE,
      'const b = Buffer.alloc(3e6, 0xff); process.stdout.write(b); process.stderr.write("e".repeat(2e6))',
    );
    let stdout = 0;
    let stderr = 0;
    const count = (stream: string, chunk: Uint8Array) => {
      if (stream === 'stdout') stdout += chunk.filter((byte) => byte === 0xff).length;
      else stderr += chunk.length;
    };
    await bench.runtime.follow(id, count, forever);
    expect({ stdout, stderr }).toEqual({ stdout: 3e6, stderr: 2e6 });
  });
});

describe('ends', () => {
  test.each([
    ['exit 0', 0],
    ['exit 200', 200],
    ['kill -9 $$', 137],
    ['kill -11 $$', 139],
  ])('%s is exit code %i', async (code, expected) => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, code);
    expect((await bench.runtime.wait(id, forever)).code).toBe(expected);
  });

  test('an aborted wait leaves the job alone', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'sleep 600');
    const stop = new AbortController();
    const waiting = bench.runtime.wait(id, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(bench.runtime.wait(id, stop.signal)).rejects.toThrow('enough');
    expect((await bench.runtime.list())[0]?.state).toBe('running');
  });

  test('stop asks first', async () => {
    const bench = new Bench();
    const id = await bench.begin(
      SHELL,
      'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.05; done',
    );
    await bench.printed(id, 'up');
    await bench.runtime.stop(id, 60_000);
    expect((await bench.runtime.wait(id, forever)).code).toBe(7);
    expect((await bench.output(id)).stdout).toContain('bye');
    await bench.runtime.stop(id, 60_000);
  });

  test('stop kills all of a job that does not listen', async () => {
    const bench = new Bench();
    const id = await bench.begin(
      SHELL,
      'trap "" TERM; (trap "" TERM; sleep 600) & echo "pid $! up"; wait; sleep 600',
    );
    const child = Number(/pid (\d+)/.exec(await bench.printed(id, 'up'))?.[1]);
    expect(isAlive(child)).toBe(true);
    await bench.runtime.stop(id, 50);
    expect((await bench.runtime.wait(id, forever)).code).toBe(137);
    await vi.waitFor(() => expect(isAlive(child)).toBe(false));
  });

  test('what a job leaves running ends with it', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'sleep 600 & echo "pid $! up"');
    const { stdout } = await bench.output(id);
    const child = Number(/pid (\d+)/.exec(stdout)?.[1]);
    expect(child).toBeGreaterThan(0);
    await vi.waitFor(() => expect(isAlive(child)).toBe(false));
  });

  test('removing a job that runs kills it, and ends those who wait', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'echo "pid $$ up"; exec sleep 600');
    const pid = Number(/pid (\d+)/.exec(await bench.printed(id, 'up'))?.[1]);
    const waiting = bench.runtime.wait(id, forever);
    const following = bench.output(id);
    await bench.runtime.remove(id);
    expect((await waiting).code).toBe(137);
    expect((await following).stdout).toContain('up');
    expect(isAlive(pid)).toBe(false);
    expect(bench.files()).toEqual([]);
  });

  test('removing a job that never ran ends those who wait', async () => {
    const bench = new Bench();
    const id = await bench.runtime.create(bench.plan(SHELL, 'true'));
    const waiting = codeOf(bench.runtime.wait(id, forever));
    const following = bench.output(id);
    await bench.runtime.remove(id);
    expect(await waiting).toBe('CONTAINER_GONE');
    expect(await following).toEqual({ stdout: '', stderr: '' });
  });
});
