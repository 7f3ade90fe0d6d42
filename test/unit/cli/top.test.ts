import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { frameLines } from '../../../src/cli/top/frame.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { route } from '../../../src/control-api/route.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import { aPage } from '../../support/cli/page.ts';
import { runLine } from '../../support/cli/run.ts';
import { aStatus, aTarget } from '../../support/control/a-status.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

test('a frame fits the terminal, whatever its size', () => {
  const status = aStatus({ targets: Array.from({ length: 30 }, (_, index) => aTarget({ index })) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 20, max: 200 }),
      fc.boolean(),
      (rows, columns, was) => {
        const page = { ...aPage(columns), colour: false };
        for (const shown of [
          { kind: 'status', status },
          { kind: 'failed', why: 'x'.repeat(999) },
        ] as const) {
          const lines = frameLines(shown, { at: 0, rows, wasRunning: was }, page);
          expect(lines.length).toBeLessThanOrEqual(rows);
          expect(lines.filter((line) => line.length > columns)).toEqual([]);
        }
      },
    ),
  );
});

test('without a terminal it says what to use instead', async () => {
  expect(await runLine(['top'])).toMatchObject({ exit: 2, stdout: '' });
});

/** The command on a terminal of its own, by util-linux's script. */
async function onTerminal() {
  const directory = await mkdtemp(join(tmpdir(), 'top-'));
  const serve = () =>
    serveControl(socketsOf(directory, undefined), {
      routes: [route(ENDPOINTS.status, async () => aStatus())],
      version: '1.2.3',
    });
  // Its own pid first, so that it can be sent a signal.
  const line = `echo pid=$$; exec '${process.execPath}' src/main.ts top --state-dir '${directory}'`;
  let agent = await serve();
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const seen = { text: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen.text += text));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    await agent[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  const frames = (): number => seen.text.split('q ends').length - 1;
  return {
    seen,
    type: (keys: string) => child.stdin.write(keys),
    pid: () => Number(/pid=(\d+)/.exec(seen.text)?.[1]),
    code: async (): Promise<unknown> => (await exited)[0],
    untilDrawn: (more: number) => {
      const wanted = frames() + more;
      return vi.waitFor(() => expect(frames()).toBeGreaterThanOrEqual(wanted), { timeout: 30_000 });
    },
    stopAgent: () => agent[Symbol.asyncDispose](),
    startAgent: async () => {
      agent = await serve();
    },
  };
}

test('q ends it, after a restart of the agent, and leaves the terminal as it was', async () => {
  const terminal = await onTerminal();
  await terminal.untilDrawn(1);
  await terminal.stopAgent();
  await terminal.untilDrawn(3);
  await terminal.startAgent();
  await terminal.untilDrawn(2);
  terminal.type('q');
  expect(await terminal.code()).toBe(0);
  expect(terminal.seen.text).toContain(ENTER);
  expect(terminal.seen.text.trimEnd().endsWith(LEAVE)).toBe(true);
}, 60_000);

test('a signal ends it and leaves the terminal as it was', async () => {
  const terminal = await onTerminal();
  await terminal.untilDrawn(1);
  process.kill(terminal.pid(), 'SIGTERM');
  expect(await terminal.code()).toBe(143);
  expect(terminal.seen.text.trimEnd().endsWith(LEAVE)).toBe(true);
}, 60_000);
