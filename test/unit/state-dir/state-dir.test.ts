import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { scratchDir } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';
import { WriterProcess } from '../../support/journal/writer-process.ts';

test('makes a directory that is for its owner alone', () => {
  const path = join(scratchDir(), 'a', 'b');
  const dir = openStateDir(path);
  expect(dir.path).toBe(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  dir.close();
});

test('refuses a second agent, in the same process too, until the first has closed', () => {
  const path = scratchDir();
  const first = openStateDir(path);
  const error = agentErrorOf(() => openStateDir(path));
  expect(error.code).toBe('STATE_DIR_IN_USE');
  expect(error.message).toContain(`process ${process.pid}`);
  first.close();
  openStateDir(path).close();
});

test('a lock ends with its process, however that ends', async () => {
  const path = scratchDir();
  const writer = WriterProcess.start(path);
  await writer.read(1);
  const error = agentErrorOf(() => openStateDir(path));
  expect(error.code).toBe('STATE_DIR_IN_USE');
  expect(error.message).toContain(`process ${writer.pid}`);
  // A refused opening must not have taken the lock from its holder.
  expect(agentErrorOf(() => openStateDir(path)).code).toBe('STATE_DIR_IN_USE');
  await writer.read(1);
  await writer.kill();
  openStateDir(path).close();
});

test('says what is wrong where the directory cannot be one', () => {
  const path = join(scratchDir(), 'file');
  writeFileSync(path, '');
  for (const bad of [path, join(path, 'below')]) {
    const error = agentErrorOf(() => openStateDir(bad));
    expect(error.code).toBe('STATE_DIR_UNUSABLE');
    expect(error.message).toContain(`${path} is a file, not a directory`);
    expect(error.hint).toContain('--state-dir');
  }
});

test('gives up where the file system takes no directories', () => {
  const error = agentErrorOf(() => openStateDir('/proc/sharedcloud/state'));
  expect(error.code).toBe('STATE_DIR_UNUSABLE');
  expect(error.message).toContain('/proc/sharedcloud');
});

test.skipIf(process.getuid?.() === 0)(
  'says so where the directory is not writable (needs another user than root)',
  () => {
    const path = join(scratchDir(), 'sealed');
    mkdirSync(path, { mode: 0o500 });
    expect(agentErrorOf(() => openStateDir(path)).code).toBe('STATE_DIR_UNUSABLE');
  },
);
