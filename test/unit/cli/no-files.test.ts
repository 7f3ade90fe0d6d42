import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProcess } from '../../support/cli/process.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

/* As processes: what hangs on a pipe holds a thread that nothing in this process could end. */

describe('what is not a file', () => {
  test('and is named as the configuration is refused, without a wait for who might write into it', async () => {
    const pipe = makePipe(scratchDir(), 'config.toml');
    const { exit, stderr } = await runProcess(['jobs', '--config', pipe]);
    expect(exit).toBe(2);
    expect(stderr).toContain(`${pipe} cannot be read: it is not a regular file`);
  });

  test('and stands for the journal is refused', async () => {
    const stateDir = scratchDir();
    const pipe = makePipe(stateDir, 'journal.db');
    const { exit, stderr } = await runProcess(['jobs', '--state-dir', stateDir]);
    expect(exit).toBe(7);
    expect(stderr).toContain(`${pipe} is not a regular file`);
  });
});

test.each(['file', 'file/below'])('a state directory that is a file is called one: %s', async (name) => {
  const directory = scratchDir();
  writeFileSync(join(directory, 'file'), '', { mode: 0o600 });
  const { exit, stderr } = await runProcess(['jobs', '--state-dir', join(directory, name)]);
  expect(exit).toBe(7);
  if (name === 'file') expect(stderr).toContain(`${join(directory, name)} is a file, not a directory`);
});

test('a dry run where TMPDIR cannot be used says what to set', async () => {
  const { exit, stderr } = await runProcess(['dry-run'], { TMPDIR: '/nonexistent/tmp' });
  expect(exit).toBe(7);
  expect(stderr).toContain('error STATE_DIR_UNUSABLE: no directory can be made in /nonexistent/tmp');
  expect(stderr).toContain('set TMPDIR to a directory that can be written');
});

function makePipe(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(directory, { recursive: true });
  execFileSync('mkfifo', [path]);
  return path;
}
