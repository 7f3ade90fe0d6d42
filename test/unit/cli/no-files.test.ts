import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProcess } from '../../support/cli/process.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

/* As processes, because a read that hangs on a pipe holds a thread for ever. */

describe('a pipe', () => {
  test('is refused as the configuration, without waiting for a writer', async () => {
    const pipe = makePipe(scratchDir(), 'config.toml');
    const { exit, stderr } = await runProcess(['jobs', '--config', pipe]);
    expect(exit).toBe(2);
    expect(stderr).toContain('error CONFIG_INVALID: ');
    expect(stderr).toContain(pipe);
  });

  test('is refused as the journal', async () => {
    const stateDir = scratchDir();
    const pipe = makePipe(stateDir, 'journal.db');
    const { exit, stderr } = await runProcess(['jobs', '--state-dir', stateDir]);
    expect(exit).toBe(7);
    expect(stderr).toContain(pipe);
  });
});

test.each(['file', 'file/below'])('a state directory that is a file is refused: %s', async (name) => {
  const directory = scratchDir();
  writeFileSync(join(directory, 'file'), '', { mode: 0o600 });
  const { exit, stderr } = await runProcess(['jobs', '--state-dir', join(directory, name)]);
  expect(exit).toBe(7);
  expect(stderr).toContain('error STATE_DIR_UNUSABLE: ');
  expect(stderr).toContain(join(directory, 'file'));
});

test('a dry run with an unusable TMPDIR says what to set', async () => {
  const { exit, stderr } = await runProcess(['dry-run'], { TMPDIR: '/nonexistent/tmp' });
  expect(exit).toBe(7);
  expect(stderr).toMatch(/^error STATE_DIR_UNUSABLE: .*\/nonexistent\/tmp/m);
  expect(stderr).toMatch(/^ {2}hint: .*TMPDIR/m);
});

function makePipe(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(directory, { recursive: true });
  execFileSync('mkfifo', [path]);
  return path;
}
