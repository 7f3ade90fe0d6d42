import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Heartbeat, lastSign } from '../../../src/journal/heartbeat.ts';
import { openStateDir } from '../../../src/journal/state-dir.ts';
import { runLine } from '../../support/cli/run.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'heartbeat-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a sign of life', () => {
  test('tells its age by the host’s uptime, and the last words', () => {
    let upMs = 1_000;
    const heartbeat = new Heartbeat(directory, () => ({ boot: 'a', upMs }));
    heartbeat.beat('a longer text at first');
    upMs = 5_000;
    heartbeat.beat('well');
    expect(lastSign(directory, { boot: 'a', upMs: 12_000 })).toEqual({
      pid: process.pid,
      status: 'well',
      ageMs: 7_000,
    });
    heartbeat.close();
  });

  test('of another boot has no age', () => {
    const heartbeat = new Heartbeat(directory, () => ({ boot: 'a', upMs: 1 }));
    heartbeat.beat('well');
    heartbeat.close();
    expect(lastSign(directory, { boot: 'b', upMs: 5 })?.ageMs).toBeUndefined();
  });

  test('is not given any more after the end', () => {
    const heartbeat = new Heartbeat(directory, () => ({ boot: 'a', upMs: 1 }));
    heartbeat.close();
    expect(heartbeat.beat('undead')).toBe(false);
    expect(lastSign(directory, { boot: 'a', upMs: 5 })).toBeUndefined();
  });

  test('cannot be left where there is no directory, and that is said', () => {
    const start = (): Heartbeat => new Heartbeat(join(directory, 'absent'), () => ({ boot: 'a', upMs: 1 }));
    expect(start).toThrow(expect.objectContaining({ code: 'STATE_DIR_UNUSABLE' }));
  });
});

describe('health', () => {
  const health = (...more: readonly string[]) => runLine(['health', '--state-dir', directory, ...more]);
  const sign = (upMs: number, boot: string) =>
    writeFile(join(directory, 'alive.json'), JSON.stringify({ pid: 1, boot, upMs, status: 'all is well' }));
  /** Holds the state directory as a daemon does. */
  const holding = (): Disposable => {
    const stateDir = openStateDir(directory);
    return { [Symbol.dispose]: () => stateDir.close() };
  };
  const now = async () => {
    const { systemClock } = await import('../../../src/lib/clock.ts');
    return systemClock.moment();
  };

  test('is good where the sign is fresh', async () => {
    const { boot, upMs } = await now();
    await sign(upMs - 59_000, boot);
    using _held = holding();
    const { exit, stdout } = await health();
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^alive .*: all is well\n$/);
    expect(JSON.parse((await health('--json')).stdout)).toMatchObject({
      healthy: true,
      status: 'all is well',
    });
  });

  test('is bad where the agent has ended, however fresh its sign', async () => {
    const { boot, upMs } = await now();
    await sign(upMs, boot);
    holding()[Symbol.dispose]();
    const { exit, stdout } = await health();
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^no agent runs here; \d s ago it was: all is well\n$/);
  });

  test.each([
    ['old', async () => sign((await now()).upMs - 70_000, (await now()).boot), /^no sign of life for 7\d s/],
    ['of another boot', () => sign(1, 'another'), /^no sign of life since the host was started/],
    ['broken', () => writeFile(join(directory, 'alive.json'), '{'), /^no agent has left a sign/],
    ['absent', () => Promise.resolve(), /^no agent has left a sign/],
  ])('is bad where the sign is %s', async (_, prepare, words) => {
    await prepare();
    using _held = holding();
    const { exit, stdout } = await health();
    expect(exit).toBe(1);
    expect(stdout).toMatch(words);
    expect(JSON.parse((await health('--json')).stdout)).toMatchObject({ healthy: false });
  });
});
