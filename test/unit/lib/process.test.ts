import { describe, expect, onTestFinished, test } from 'vitest';
import { followProgram, type ProgramError, runProgram } from '../../../src/lib/process.ts';

const sh = (script: string): readonly [string, readonly string[]] => ['sh', ['-c', script]];
const DEADLINE = { deadlineMs: 20_000 };

/** Resolves once no process has this id. */
async function isGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 10_000, interval: 10 }).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a program that ends by itself', () => {
  test.each([
    ['its exit code', 'exit 3', { code: 3, stdout: '', stderr: '' }],
    ['the signal that ended it', 'kill -TERM $$', { code: 'SIGTERM' }],
    ['what it printed', 'printf out; printf err >&2', { code: 0, stdout: 'out', stderr: 'err' }],
    ['the locale C', 'printf "$LC_ALL"', { stdout: 'C' }],
  ])('shows %s', async (_, script, result) => {
    expect(await runProgram(...sh(script), DEADLINE)).toMatchObject(result);
  });

  test('reads its input', async () => {
    expect(await runProgram('cat', [], { ...DEADLINE, input: 'hello' })).toMatchObject({ stdout: 'hello' });
  });

  test('does not see the token, nor anything beside the environment that it is given', async () => {
    const env = { PATH: process.env['PATH'] ?? '', SHAREDCLOUD_TOKEN: 'secret', NAME: 'value' };
    const { stdout } = await runProgram('env', [], { ...DEADLINE, env });
    expect(stdout).toContain('NAME=value');
    expect(stdout).not.toMatch(/secret|HOME=/);
  });

  test('ends with 127 where it is not on this host', async () => {
    expect(await runProgram('no-such-program', [], DEADLINE)).toMatchObject({ code: 127 });
  });
});

describe('a program that does not end in time', () => {
  test('is killed with all that it started', async () => {
    const printed = Promise.withResolvers<number>();
    const stop = new AbortController();
    const call = followProgram(...sh('sleep 100 & echo $!; wait'), {
      onLines: ([line]) => printed.resolve(Number(line)),
      onStderr: () => undefined,
      signal: stop.signal,
    });
    const pid = await printed.promise;
    expect(isAlive(pid)).toBe(true);
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await isGone(pid);
  });

  test('fails with the reason late, though something else holds its output open', async () => {
    const call = runProgram(...sh('sleep 100 & exit 0'), { deadlineMs: 200 });
    await expect(call).rejects.toMatchObject({ reason: 'late' } satisfies Partial<ProgramError>);
  });

  test('is not late where its exit is what counts, and what it left is not killed', async () => {
    const call = runProgram(...sh('sleep 100 & echo $!; echo no >&2; exit 3'), {
      ...DEADLINE,
      lingerMs: 100,
    });
    const { code, stderr, stdout } = await call;
    onTestFinished(() => void process.kill(Number(stdout), 'SIGKILL'));
    expect([code, stderr, isAlive(Number(stdout))]).toEqual([3, 'no\n', true]);
  });

  test('is not waited for where it survives the kill', async () => {
    let survivor: { readonly leader: number; readonly gone: Promise<void> } | undefined;
    const call = runProgram('sleep', ['100'], {
      deadlineMs: 100,
      kill: () => undefined,
      onKilled: (leader, gone) => (survivor = { leader, gone }),
    });
    await expect(call).rejects.toMatchObject({ reason: 'late' });
    if (survivor === undefined) throw new Error('onKilled was not called');
    process.kill(survivor.leader, 'SIGKILL');
    await survivor.gone;
  });

  test('ends with the signal of the caller', async () => {
    const stop = new AbortController();
    const call = runProgram('sleep', ['100'], { ...DEADLINE, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

test('a program that prints too much is killed', async () => {
  const call = runProgram('yes', [], { ...DEADLINE, maxOutputBytes: 1_000 });
  await expect(call).rejects.toMatchObject({ reason: 'too-much-output' });
});

describe('a program that is followed', () => {
  const signal = new AbortController().signal;

  test('hands on each line as it comes, and returns its exit code', async () => {
    const lines: string[] = [];
    const code = await followProgram(...sh('echo a; echo b; printf c; exit 4'), {
      onLines: (some) => void lines.push(...some),
      onStderr: () => undefined,
      signal,
    });
    expect([lines, code]).toEqual([['a', 'b', 'c'], 4]);
  });

  test('ends with what the reader of its stderr throws', async () => {
    const onStderr = (text: string): void => {
      throw new Error(`stderr: ${text.trim()}`);
    };
    const call = followProgram(...sh('echo no >&2; sleep 100'), {
      onLines: () => undefined,
      onStderr,
      signal,
    });
    await expect(call).rejects.toThrow('stderr: no');
  });

  test('ends with what the reader of its lines throws', async () => {
    const onLines = ([line]: readonly string[]): void => {
      throw new Error(`line: ${line}`);
    };
    const call = followProgram(...sh('echo no; sleep 100'), { onLines, onStderr: () => undefined, signal });
    await expect(call).rejects.toThrow('line: no');
  });
});
