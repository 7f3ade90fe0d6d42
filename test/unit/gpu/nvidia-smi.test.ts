import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { NvidiaSmi } from '../../../src/gpu/nvidia-smi.ts';
import { signalGroup } from '../../../src/lib/process.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { EIGHT_A100 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const never = new AbortController().signal;
/** A deadline that only a hung program misses, and one that is missed on purpose. In milliseconds. */
const [LONG_MS, SHORT_MS] = [30_000, 300];

/** Ignores SIGTERM and hangs, as long as a file beside it exists. */
const HANGING = `trap '' TERM
echo started >> "$0.calls"
while [ -e "$0.hang" ]; do sleep 1000; done
echo recovered`;

/** A shell script in place of nvidia-smi. */
async function script(body: string): Promise<AsyncDisposable & { readonly program: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'nvidia-smi-script-'));
  const program = join(directory, 'nvidia-smi');
  await writeFile(program, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  await writeFile(`${program}.hang`, '');
  return { program, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

async function callsOf(program: string): Promise<number> {
  return (await readFile(`${program}.calls`, 'utf8').catch(() => '')).split('\n').length - 1;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('nvidia-smi', () => {
  test('runs in the C locale, without the token in its environment', async () => {
    await using smi = await standIn(EIGHT_A100);
    const { code, stdout } = await new NvidiaSmi(smi).run(['-L'], never);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(8);
    expect(await smi.calls()).toMatchObject([{ args: ['-L'], locale: 'C' }]);
    expect((await smi.calls())[0]).not.toHaveProperty('token');
  });

  test('runs one process at a time', async () => {
    await using slow = await script(
      'if mkdir "$0.busy"; then sleep 0.1; rmdir "$0.busy"; echo alone; else echo together; fi',
    );
    const nvidiaSmi = new NvidiaSmi(slow);
    const results = await Promise.all([1, 2, 3].map(() => nvidiaSmi.run([], never)));
    expect(results.map(({ stdout }) => stdout)).toEqual(['alone\n', 'alone\n', 'alone\n']);
  });

  test('fails if its output has no end', async () => {
    await using endless = await script('exec yes');
    expect((await rejection(new NvidiaSmi(endless).run([], never))).code).toBe('GPU_PROBE_FAILED');
  });

  test.each(['no-such-nvidia-smi', '/no/such/nvidia-smi'])(
    'ends with exit code 127 if it is %s',
    async (program) => {
      expect(await new NvidiaSmi({ program, fallback: '/no/such/fallback' }).run([], never)).toMatchObject({
        code: 127,
      });
    },
  );

  test('that is not on PATH is the one of WSL, if there is one; a path never is', async () => {
    await using wsl = await standIn(EIGHT_A100);
    const at = (program: string) => new NvidiaSmi({ program, fallback: wsl.program }).run(['-L'], never);
    expect((await at('no-such-nvidia-smi')).stdout).toContain('A100');
    expect(await at('/no/such/nvidia-smi')).toMatchObject({ code: 127 });
  });

  test('ends with exit code 126 if the file is not executable', async () => {
    await using plain = await script('exit 0');
    await chmod(plain.program, 0o644);
    expect(await new NvidiaSmi(plain).run([], never)).toMatchObject({ code: 126 });
  });

  test.skipIf(process.getuid?.() === 0)(
    'ends with exit code 127 despite an unreadable directory in PATH (needs a user other than root)',
    async () => {
      await using other = await script('exit 0');
      const sealed = `${other.program}.sealed`;
      await mkdir(sealed, { mode: 0 });
      vi.stubEnv('PATH', `${sealed}:${process.env['PATH']}`);
      onTestFinished(() => void vi.unstubAllEnvs());
      const result = await new NvidiaSmi({ program: 'no-such-nvidia-smi' }).run([], never);
      expect(result).toMatchObject({ code: 127 });
    },
  );
});

describe('a hung nvidia-smi', () => {
  test('is killed at the deadline although it ignores SIGTERM, and the next one runs', async () => {
    await using hanging = await script(HANGING);
    const killed: number[] = [];
    const kill = (pid: number): void => {
      killed.push(pid);
      signalGroup(pid, 'SIGKILL');
    };
    const nvidiaSmi = new NvidiaSmi({ ...hanging, deadlineMs: SHORT_MS, kill });
    expect((await rejection(nvidiaSmi.run([], never))).code).toBe('GPU_PROBE_HUNG');
    expect(killed).toHaveLength(1);
    await expect.poll(() => isAlive(killed[0] ?? 0), { timeout: LONG_MS }).toBe(false);
    await rm(`${hanging.program}.hang`);
    const retry = () => nvidiaSmi.run([], never).catch(() => undefined);
    await expect.poll(async () => (await retry())?.code, { timeout: LONG_MS }).toBe(0);
  });

  test('that was followed and survives its kill prevents another, until it is gone', async () => {
    await using hanging = await script(HANGING);
    let kill = (_pid: number): void => undefined;
    const killed: number[] = [];
    const nvidiaSmi = new NvidiaSmi({
      ...hanging,
      kill: (pid) => {
        killed.push(pid);
        kill(pid);
      },
    });
    const follow = (signal: AbortSignal) =>
      nvidiaSmi.follow([], { onLines: () => undefined, onStderr: () => undefined, signal });
    const stop = new AbortController();
    const first = follow(stop.signal);
    await expect.poll(() => callsOf(hanging.program), { timeout: LONG_MS }).toBe(1);
    stop.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect((await rejection(follow(never))).code).toBe('GPU_PROBE_HUNG');
    expect(await callsOf(hanging.program)).toBe(1);
    kill = (pid) => signalGroup(pid, 'SIGKILL');
    kill(killed[0] ?? 0);
    await rm(`${hanging.program}.hang`);
    expect(await follow(never)).toBe(0);
  });

  test('that survives its kill prevents further ones until it is gone, and nothing waits for it', async () => {
    await using hanging = await script(HANGING);
    const survivors: number[] = [];
    const kill = (pid: number): void => void survivors.push(pid);
    const nvidiaSmi = new NvidiaSmi({ ...hanging, deadlineMs: SHORT_MS, kill });
    for (const _ of ['the hung one', 'refused', 'refused'])
      expect((await rejection(nvidiaSmi.run([], never))).code).toBe('GPU_PROBE_HUNG');
    expect(survivors).toHaveLength(1);
    expect(await callsOf(hanging.program)).toBeLessThanOrEqual(1);
    await rm(`${hanging.program}.hang`);
    for (const pid of survivors) signalGroup(pid, 'SIGKILL');
    const retry = () => nvidiaSmi.run([], never).catch(() => undefined);
    await expect.poll(async () => (await retry())?.code, { timeout: LONG_MS }).toBe(0);
  });

  test('whose descendant keeps its pipes open is given up at the deadline', async () => {
    await using leaving = await script('setsid sleep 2 & exit 0');
    const error = await rejection(new NvidiaSmi({ ...leaving, deadlineMs: SHORT_MS }).run([], never));
    expect(error.code).toBe('GPU_PROBE_HUNG');
  });

  test('is killed at once when the caller aborts', async () => {
    await using hanging = await script(HANGING);
    const killed: number[] = [];
    const kill = (pid: number): void => {
      killed.push(pid);
      signalGroup(pid, 'SIGKILL');
    };
    const controller = new AbortController();
    const run = new NvidiaSmi({ ...hanging, deadlineMs: LONG_MS, kill }).run([], controller.signal);
    await expect.poll(() => callsOf(hanging.program), { timeout: LONG_MS }).toBe(1);
    controller.abort();
    expect((await rejection(run)).code).toBe('GPU_PROBE_FAILED');
    await expect.poll(() => isAlive(killed[0] ?? 0), { timeout: LONG_MS }).toBe(false);
  });
});
