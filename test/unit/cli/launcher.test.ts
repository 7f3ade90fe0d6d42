import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';

const LAUNCHER = join(import.meta.dirname, '../../../bin/sharedcloud-agent.cjs');
const PACKAGE = join(import.meta.dirname, '../../../package.json');

function run(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: {} });
  return { status, stdout, stderr };
}

/** Runs the launcher on this Node.js, which says that it is another. */
function onVersion(version: string) {
  const pretend = [
    `Object.defineProperty(process.versions, 'node', { value: '${version}' });`,
    `Object.defineProperty(process, 'version', { value: 'v${version}' });`,
    `require(${JSON.stringify(LAUNCHER)});`,
  ];
  return run(['-e', pretend.join('')]);
}

test('an old Node.js gets a plain message', () => {
  const { status, stdout, stderr } = onVersion('8.17.0');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^sharedcloud-agent needs Node\.js 24 or newer, this is v8\.17\.0\.\n {2}hint: /);
});

test('the launcher starts the agent, through a link too, without a warning of Node.js', async () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(PACKAGE, 'utf8')));
  const dir = await mkdtemp(join(tmpdir(), 'launcher-'));
  try {
    symlinkSync(LAUNCHER, join(dir, 'agent'));
    for (const file of [LAUNCHER, join(dir, 'agent')])
      expect(run([file, '--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('the exit code of a command is that of the process', () => {
  const { status, stdout, stderr } = run([LAUNCHER, 'jobs', '--state-dir', '/no/such/place', '--json']);
  expect([status, stdout]).toEqual([7, '']);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'STATE_DIR_UNUSABLE', exit: 7 } });
});
