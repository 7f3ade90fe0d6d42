import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askHealth } from '../../../src/cli/ask-health.ts';
import { runLine } from '../../support/cli/run.ts';
import { serveHealth } from '../../support/control/serve-health.ts';

const report = (status: string) => ({ status, why: null, hint: null, degraded: null });

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'health-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const health = (...more: readonly string[]) => runLine(['health', '--state-dir', directory, ...more]);

/** A process that answers until a signal stops it. */
async function separate(): Promise<{ readonly signal: (name: NodeJS.Signals) => void } & AsyncDisposable> {
  const module = resolve(import.meta.dirname, '../../support/control/serve-health.ts');
  const code = `const { serveHealth } = await import(${JSON.stringify(module)});
    await serveHealth(${JSON.stringify(directory)}, () => ({ status: 'apart', why: null, hint: null, degraded: null }));
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  return {
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('health', () => {
  test('is good where the agent answers, with its current status', async () => {
    let status = 'starting';
    await using _ = await serveHealth(directory, () => report(status));
    expect(await health()).toMatchObject({ exit: 0, stdout: 'alive: starting\n' });
    status = 'at work';
    expect(await health()).toMatchObject({ exit: 0, stdout: 'alive: at work\n' });
    expect(JSON.parse((await health('--json')).stdout)).toMatchObject({
      healthy: true,
      ready: true,
      status: 'at work',
    });
    expect(await health('--ready')).toMatchObject({ exit: 0 });
  });

  test('is good, and with --ready bad, where the agent can claim no job; both say why and what to do', async () => {
    const problem = { why: 'test container failed: \u001b[2J', hint: 'repair Docker', degraded: null };
    await using _ = await serveHealth(directory, () => ({ status: 'at work', ...problem }));
    const plain = await health();
    expect(plain).toMatchObject({ exit: 0 });
    expect(plain.stdout).toContain('repair Docker');
    expect(plain.stdout).not.toContain('\u001b');
    expect(await health('--ready')).toMatchObject({ exit: 1 });
    const { exit, stdout } = await health('--ready', '--json');
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ healthy: true, ready: false, status: 'at work', ...problem });
  });

  test('is good, also with --ready, where the engine is slow, and says so', async () => {
    const slow = { why: null, hint: 'look at the disk', degraded: 'Docker is slow: \u001b[2J' };
    await using _ = await serveHealth(directory, () => ({ status: 'at work', ...slow }));
    const { exit, stdout } = await health('--ready');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/\ndegraded: Docker is slow.*\n  hint: look at the disk\n$/);
    expect(stdout).not.toContain('\u001b');
    expect(JSON.parse((await health('--json')).stdout)).toMatchObject({ ready: true, ...slow });
  });

  test('is bad where something answers without end', async () => {
    const server = createServer((socket) => {
      const more = setInterval(() => socket.write('x'.repeat(10_000)), 1);
      socket.on('error', () => undefined).on('close', () => clearInterval(more));
    });
    server.listen(join(directory, 'control.sock'));
    await once(server, 'listening');
    expect(await health()).toMatchObject({ exit: 1 });
    server.close();
  });

  test('is answered to the agent’s user only, whatever the umask', async () => {
    const before = process.umask(0);
    await using _ = await serveHealth(directory, () => report('at work'));
    process.umask(before);
    expect((await stat(join(directory, 'control.sock'))).mode & 0o777).toBe(0o600);
  });

  test('is bad where no agent runs or ever ran', async () => {
    const { exit, stdout } = await health();
    expect(exit).toBe(1);
    expect(stdout).toContain(`${directory}\n  hint: `);
    await rm(directory, { recursive: true });
    expect((await health()).exit).toBe(1);
    expect(JSON.parse((await health('--json')).stdout)).toMatchObject({
      healthy: false,
      ready: false,
      status: null,
    });
  });

  test('is bad as soon as the agent has exited', async () => {
    await (await serveHealth(directory, () => report('well')))[Symbol.asyncDispose]();
    expect((await health()).exit).toBe(1);
  });

  test('is bad after the agent was killed, until the next one answers', async () => {
    {
      await using killed = await separate();
      expect((await health()).exit).toBe(0);
      killed.signal('SIGKILL');
    }
    expect((await health()).exit).toBe(1);
    await using _ = await serveHealth(directory, () => report('back'));
    expect(await health()).toMatchObject({ exit: 0, stdout: 'alive: back\n' });
  });

  test('is bad while the agent hangs, and good again afterwards', async () => {
    await using other = await separate();
    other.signal('SIGSTOP');
    expect(await askHealth(directory, 300)).toEqual({ kind: 'silent' });
    other.signal('SIGCONT');
    expect(await askHealth(directory, 10_000)).toMatchObject({ kind: 'alive', status: 'apart' });
  });

  test('works in a directory whose path is longer than one of a socket may be', async () => {
    const deep = join(directory, ...Array.from({ length: 6 }, () => 'a-name-that-is-long'.repeat(3)));
    await mkdir(deep, { recursive: true });
    await using _ = await serveHealth(deep, () => report('deep'));
    expect(await askHealth(deep, 10_000)).toMatchObject({ kind: 'alive', status: 'deep' });
  });

  test('is bad where a file has the name of the socket', async () => {
    await writeFile(join(directory, 'control.sock'), '{"pid":1,"status":"well"}');
    expect((await health()).exit).toBe(1);
  });
});

describe('the health socket', () => {
  test('closes without waiting for a client that stays connected', async () => {
    const health = await serveHealth(directory, () => report('well'));
    const socket = connect({ path: join(directory, 'control.sock'), allowHalfOpen: true });
    await once(socket, 'connect');
    await expect(health[Symbol.asyncDispose]()).resolves.toBeUndefined();
    socket.destroy();
  });

  test('throws where there is no directory', async () => {
    await expect(serveHealth(join(directory, 'absent'), () => report(''))).rejects.toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
    });
  });

  test('throws where it cannot be created', async () => {
    await expect(serveHealth('/proc', () => report(''))).rejects.toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
    });
  });
});
