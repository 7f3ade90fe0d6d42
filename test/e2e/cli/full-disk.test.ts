import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');

test.each([
  ['a line', ['--version']],
  ['a dry run', ['dry-run', '--nvidia-smi', '/nonexistent']],
])('the output of %s that cannot be written is a plain message, and nothing is left behind', (_, argv) => {
  const directory = mkdtempSync(join(tmpdir(), 'sharedcloud-full-'));
  try {
    const { status, stderr } = spawnSync(process.execPath, ['src/main.ts', ...argv], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TMPDIR: directory },
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    });
    expect(stderr).toContain('error: the output could not be written: ENOSPC');
    expect(stderr).not.toContain('INTERNAL');
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
