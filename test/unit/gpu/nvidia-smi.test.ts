import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AgentError, type ErrorCode } from '../../../src/domain/errors.ts';
import { NvidiaSmi } from '../../../src/gpu/nvidia-smi.ts';
import { EIGHT_A100, TESLA_T4 } from '../../support/nvidia-smi/machines.ts';
import { type StandIn, standIn } from '../../support/nvidia-smi/stand-in.ts';

const never = new AbortController().signal;

async function failure(call: Promise<unknown>): Promise<AgentError> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}

async function sayer(exit: number, stdout: string, stderr = ''): Promise<StandIn> {
  return standIn({ ...TESLA_T4, fault: { kind: 'say', exit, stdout, stderr } });
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('what nvidia-smi says', () => {
  test('comes whole, in the C locale, from a process that does not know the token', async () => {
    await using smi = await standIn(EIGHT_A100);
    const { code, stdout } = await new NvidiaSmi(smi).run(['-L'], never);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(8);
    expect(await smi.calls()).toMatchObject([{ args: ['-L'], locale: 'C' }]);
    expect((await smi.calls())[0]).not.toHaveProperty('token');
  });

  test.each([
    [2, 'Field "x" is not a valid field to query.', 'GPU_PROBE_FAILED', /argument/, /of a driver/],
    [4, 'Insufficient Permissions', 'GPU_PROBE_FAILED', /permission/, /nvidia\*/],
    [6, 'No devices were found', 'GPU_NONE', /no GPU/, /seated/],
    [0, 'No devices were found\n', 'GPU_NONE', /no GPU/, /seated/],
    [8, '', 'GPU_PROBE_FAILED', /power cables/, /attach/],
    [
      9,
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
      'GPU_PROBE_FAILED',
      /not loaded/,
      /modprobe/,
    ],
    [12, '', 'GPU_PROBE_FAILED', /NVML/, /libnvidia-ml/],
    [
      18,
      'Failed to initialize NVML: Driver/library version mismatch',
      'GPU_PROBE_FAILED',
      /updated/,
      /reboot/,
    ],
    [
      255,
      'Failed to initialize NVML: Driver/library version mismatch',
      'GPU_PROBE_FAILED',
      /updated/,
      /reboot/,
    ],
    [
      255,
      'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.',
      'GPU_PROBE_FAILED',
      /lost/,
      /Xid/,
    ],
    [255, '', 'GPU_PROBE_FAILED', /exit code 255/, /by hand/],
    [99, 'what?', 'GPU_PROBE_FAILED', /exit code 99\): what\?/, /by hand/],
  ] as const satisfies readonly (readonly [number, string, ErrorCode, RegExp, RegExp])[])(
    'exit code %i with %j is %s',
    async (exit, said, code, message, hint) => {
      for (const [stdout, stderr] of [[said, ''] as const, ['', said] as const]) {
        await using smi = await sayer(exit, stdout, stderr);
        const error = await failure(new NvidiaSmi(smi).run(['-L'], never));
        expect(error.code).toBe(code);
        expect(error.message).toMatch(message);
        expect(error.hint).toMatch(hint);
      }
    },
  );

  test.each([14, 15])('exit code %i is left to who reads the answer', async (exit) => {
    await using smi = await sayer(exit, 'WARNING: infoROM is corrupted\n');
    expect(await new NvidiaSmi(smi).run(['-L'], never)).toMatchObject({ code: exit });
  });

  test('what it says cannot play tricks on a terminal', async () => {
    await using smi = await sayer(255, '\u001b[31mred');
    expect((await failure(new NvidiaSmi(smi).run([], never))).message).toContain('\\u{1b}[31mred');
  });

  test('more than any host has to say is cut off', async () => {
    await using smi = await standIn(TESLA_T4);
    const program = join(smi.directory, 'endless');
    await writeFile(program, '#!/bin/sh\nexec yes\n', { mode: 0o755 });
    expect((await failure(new NvidiaSmi({ program }).run([], never))).message).toContain('more than');
  });

  test('a program that is not there, is none, or may not be run', async () => {
    await using smi = await standIn(TESLA_T4);
    const missing = await failure(new NvidiaSmi({ program: 'no-such-nvidia-smi' }).run([], never));
    expect(missing).toMatchObject({
      code: 'GPU_PROBE_FAILED',
      hint: expect.stringContaining('--nvidia-smi') as unknown,
    });
    expect(missing.message).toBe('no-such-nvidia-smi: it is not there (exit code 127)');
    const nowhere = await failure(new NvidiaSmi({ program: '/no/such/nvidia-smi' }).run([], never));
    expect(nowhere.message).toBe('/no/such/nvidia-smi: it is not there (exit code 127)');
    const plain = join(smi.directory, 'plain=file');
    await writeFile(plain, 'text');
    await chmod(plain, 0o644);
    expect((await failure(new NvidiaSmi({ program: plain }).run([], never))).message).toContain(
      'cannot be executed',
    );
  });
});

test.skipIf(process.getuid?.() === 0)(
  'a directory of PATH that may not be entered hides nothing (needs another user than root)',
  async () => {
    await using smi = await standIn(TESLA_T4);
    const sealed = join(smi.directory, 'sealed');
    await mkdir(sealed, { mode: 0 });
    vi.stubEnv('PATH', `${sealed}:${process.env['PATH']}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const missing = await failure(new NvidiaSmi({ program: 'no-such-nvidia-smi' }).run([], never));
    expect(missing.message).toBe('no-such-nvidia-smi: it is not there (exit code 127)');
  },
);

/** What a busy machine may need to start a stand-in. */
const BUSY = { timeout: 15_000 };

describe('an nvidia-smi that hangs', () => {
  test('is given up at the deadline and killed, though it takes no notice of SIGTERM', async () => {
    await using smi = await standIn({ ...TESLA_T4, fault: { kind: 'hang' } });
    const nvidiaSmi = new NvidiaSmi({ ...smi, deadlineMs: 2_500 });
    const error = await failure(nvidiaSmi.run(['-L'], never));
    expect(error).toMatchObject({ code: 'GPU_PROBE_HUNG' });
    expect(error.message).toContain('gave no answer in 2.5 s');
    const [call] = await smi.calls();
    await expect.poll(() => isAlive(call?.pid ?? 0), BUSY).toBe(false);
    await smi.become(TESLA_T4);
    await expect
      .poll(async () => (await nvidiaSmi.run(['-L'], never).catch(() => undefined))?.code, BUSY)
      .toBe(0);
  });

  test('and survives the kill keeps any other from being started, and nobody waiting', async () => {
    await using smi = await standIn({ ...TESLA_T4, fault: { kind: 'hang' } });
    const survivors: number[] = [];
    const kill = (pid: number): void => void survivors.push(pid);
    const nvidiaSmi = new NvidiaSmi({ ...smi, deadlineMs: 2_500, kill });
    await failure(nvidiaSmi.run(['-L'], never));
    for (let look = 0; look < 3; look += 1) {
      const error = await failure(nvidiaSmi.run(['-L'], never));
      expect(error.code).toBe('GPU_PROBE_HUNG');
      expect(error.message).toContain('is still there');
    }
    expect(await smi.calls()).toHaveLength(1);
    await smi.become(TESLA_T4);
    for (const pid of survivors) process.kill(pid, 'SIGKILL');
    await expect
      .poll(async () => (await nvidiaSmi.run(['-L'], never).catch(() => undefined))?.code, BUSY)
      .toBe(0);
  });

  test('with its pipes held open by something that it started is no wait without end', async () => {
    await using smi = await standIn({ ...TESLA_T4, fault: { kind: 'leave-pipes-open' } });
    const error = await failure(new NvidiaSmi({ ...smi, deadlineMs: 1_500 }).run(['-L'], never));
    expect(error.code).toBe('GPU_PROBE_HUNG');
  });

  test('is given up at once when the caller calls it off', async () => {
    await using smi = await standIn({ ...TESLA_T4, fault: { kind: 'hang' } });
    const controller = new AbortController();
    const look = new NvidiaSmi(smi).run(['-L'], controller.signal);
    await expect.poll(async () => (await smi.calls()).length, BUSY).toBe(1);
    controller.abort();
    expect((await failure(look)).message).toContain('called off');
    await expect.poll(async () => isAlive((await smi.calls())[0]?.pid ?? 0), BUSY).toBe(false);
  });
});

test('one runs at a time', async () => {
  await using smi = await standIn(TESLA_T4);
  const program = join(smi.directory, 'slow');
  const script =
    '#!/bin/sh\nif mkdir "$0.busy"; then sleep 0.1; rmdir "$0.busy"; echo alone; else echo crowd; fi\n';
  await writeFile(program, script, { mode: 0o755 });
  const nvidiaSmi = new NvidiaSmi({ program });
  const answers = await Promise.all([1, 2, 3].map(() => nvidiaSmi.run([], never)));
  expect(answers.map(({ stdout }) => stdout)).toEqual(['alone\n', 'alone\n', 'alone\n']);
});
