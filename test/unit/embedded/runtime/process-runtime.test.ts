import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { AgentError } from '../../../../src/domain/errors.ts';
import { Bench, isAlive, MISSING, NODE, SHELL } from '../../../support/runtime-process/fixture.ts';

const forever = new AbortController().signal;

/** The code of the AgentError that `work` throws; undefined: none. */
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
  test('are the given interpreters by any spelling of their name', async () => {
    const { images } = new Bench().runtime;
    const ready = { ref: 'docker.io/sharedcloud/node', id: NODE, sizeBytes: 0 };
    expect(await images.find('docker.io/sharedcloud/node')).toEqual(ready);
    expect(await images.prepare('docker.io/sharedcloud/node')).toEqual(ready);
    expect(await images.find('sharedcloud/node:8')).toBeUndefined();
    expect(await codeOf(images.prepare('sharedcloud/other'))).toBe('IMAGE_NOT_FOUND');
  });
});

describe('a job', () => {
  test('is created, started, awaited and removed', async () => {
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

  test('has only its own environment', async () => {
    const bench = new Bench();
    const code = 'console.log(JSON.stringify({ env: process.env, cwd: process.cwd() }))';
    const environment = z.object({ env: z.record(z.string(), z.string()), cwd: z.string() });
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
    const { env, cwd } = environment.parse(JSON.parse((await bench.output(id)).stdout));
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

  test('cannot have a second process', async () => {
    const bench = new Bench();
    const plan = bench.plan(SHELL, 'true');
    const outcomes = await Promise.all([plan, plan].map((each) => codeOf(bench.runtime.create(each))));
    expect(new Set(outcomes)).toEqual(new Set(['RUNTIME_FAILED', undefined]));
    expect(bench.files()).toHaveLength(1);
  });

  test('runs once if it is started twice', async () => {
    const bench = new Bench();
    const id = await bench.runtime.create(bench.plan(SHELL, 'echo once'));
    await Promise.all([bench.runtime.start(id), bench.runtime.start(id)]);
    await bench.runtime.wait(id, forever);
    await bench.runtime.start(id);
    expect((await bench.output(id)).stdout).toBe('once\n');
  });

  test('with a missing interpreter is RUNTIME_FAILED, a host failure', async () => {
    const bench = new Bench();
    const id = await bench.runtime.create(bench.plan(MISSING, ''));
    expect(await codeOf(bench.runtime.start(id))).toBe('RUNTIME_FAILED');
    expect((await bench.runtime.list())[0]?.state).toBe('created');
    await bench.runtime.remove(id);
    expect(bench.files()).toEqual([]);
  });

  test('with an unknown image is IMAGE_NOT_FOUND', async () => {
    const bench = new Bench();
    expect(await codeOf(bench.runtime.create(bench.plan('other:latest', '')))).toBe('IMAGE_NOT_FOUND');
  });

  test('that is gone is CONTAINER_GONE, but may be stopped and removed again', async () => {
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
  test('is passed from the first byte while the job runs', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'echo first; sleep 600');
    expect(await bench.printed(id, 'first')).toBe('first\n');
    expect(await bench.printed(id, 'first')).toBe('first\n');
    expect((await bench.runtime.list())[0]?.state).toBe('running');
  });

  test('is complete for large binary output', async () => {
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

describe('an exit', () => {
  test.each([
    ['exit 0', 0],
    ['exit 200', 200],
    ['kill -9 $$', 137],
    ['kill -11 $$', 139],
  ])('of %s has the code %i', async (code, expected) => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, code);
    expect((await bench.runtime.wait(id, forever)).code).toBe(expected);
  });

  test('is not caused by an aborted wait', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'sleep 600');
    const stop = new AbortController();
    const waiting = bench.runtime.wait(id, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(bench.runtime.wait(id, stop.signal)).rejects.toThrow('enough');
    expect((await bench.runtime.list())[0]?.state).toBe('running');
  });

  test('by stop gives the job time', async () => {
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

  test('by stop kills all processes of a job that ignores it', async () => {
    const bench = new Bench();
    const id = await bench.begin(
      SHELL,
      'trap "" TERM; (trap "" TERM; sleep 600) & echo "pid $! up"; wait; sleep 600',
    );
    const child = Number(/pid (\d+)/.exec(await bench.printed(id, 'up'))?.[1]);
    expect(isAlive(child)).toBe(true);
    await bench.runtime.stop(id, 50);
    expect((await bench.runtime.wait(id, forever)).code).toBe(137);
    await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 15_000 });
  });

  test('ends the other processes of the job', async () => {
    const bench = new Bench();
    const id = await bench.begin(SHELL, 'sleep 600 & echo "pid $! up"');
    const { stdout } = await bench.output(id);
    const child = Number(/pid (\d+)/.exec(stdout)?.[1]);
    expect(child).toBeGreaterThan(0);
    await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 15_000 });
  });

  test('by remove kills the job and ends waits', async () => {
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

  test('by remove ends waits for a job that was never started', async () => {
    const bench = new Bench();
    const id = await bench.runtime.create(bench.plan(SHELL, 'true'));
    const waiting = codeOf(bench.runtime.wait(id, forever));
    const following = bench.output(id);
    await bench.runtime.remove(id);
    expect(await waiting).toBe('CONTAINER_GONE');
    expect(await following).toEqual({ stdout: '', stderr: '' });
  });
});
