import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { scratchDir } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';
import { WriterProcess } from '../../support/journal/writer-process.ts';

test('creates a directory that only its owner can use', () => {
  const path = join(scratchDir(), 'a', 'b');
  const dir = openStateDir(path);
  expect(dir.path).toBe(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  dir.close();
});

test('refuses a second agent until the first has closed, also in the same process', () => {
  const path = scratchDir();
  const first = openStateDir(path);
  const error = agentErrorOf(() => openStateDir(path));
  expect(error.code).toBe('STATE_DIR_IN_USE');
  expect(error.message).toContain(`process ${process.pid}`);
  first.close();
  openStateDir(path).close();
});

test('a lock ends with its process in any way', async () => {
  const path = scratchDir();
  const writer = WriterProcess.start(path);
  await writer.read(1);
  const error = agentErrorOf(() => openStateDir(path));
  expect(error.code).toBe('STATE_DIR_IN_USE');
  expect(error.message).toContain(`process ${writer.pid}`);
  // A refused attempt must not drop the lock.
  expect(agentErrorOf(() => openStateDir(path)).code).toBe('STATE_DIR_IN_USE');
  await writer.read(1);
  await writer.kill();
  openStateDir(path).close();
});

test('lets nobody else take the lock', () => {
  const path = scratchDir();
  writeFileSync(join(path, 'lock'), '');
  chmodSync(join(path, 'lock'), 0o644);
  openStateDir(path).close();
  expect(statSync(join(path, 'lock')).mode & 0o777).toBe(0o600);
});

test.each([0o770, 0o702, 0o777, 0o1777])('is STATE_DIR_UNUSABLE if others may write to it (%o)', (mode) => {
  const path = scratchDir();
  chmodSync(path, mode);
  expect(agentErrorOf(() => openStateDir(path)).code).toBe('STATE_DIR_UNUSABLE');
  chmodSync(path, 0o755);
  openStateDir(path).close();
});

test('is STATE_DIR_UNUSABLE, and not created, where others may put another one in its place', () => {
  const open = join(scratchDir(), 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const error = agentErrorOf(() => openStateDir(join(open, 'state')));
  expect(error.code).toBe('STATE_DIR_UNUSABLE');
  expect(error.hint).toBe(`chmod o-w ${open}`);
  expect(readdirSync(open)).toEqual([]);
  chmodSync(open, 0o1777);
  openStateDir(join(open, 'state')).close();
});

test.each<[string, (path: string) => unknown]>([
  ['pipe', (path) => execFileSync('mkfifo', [path])],
  ['link', (path) => symlinkSync('/dev/zero', path)],
])('a %s in the place of its files does not block it, nor is it written to', (_, plant) => {
  const path = scratchDir();
  plant(join(path, 'lock.pid.new'));
  plant(join(path, 'lock.pid'));
  openStateDir(path).close();
  rmSync(join(path, 'lock'));
  plant(join(path, 'lock'));
  expect(agentErrorOf(() => openStateDir(path)).hint).toContain(join(path, 'lock'));
});

describe.skipIf(process.getuid?.() !== 0)('with files of other users (needs root),', () => {
  test.each([
    { owner: 1234, uid: 0, right: false },
    { owner: 1234, uid: 4321, right: false },
    { owner: 1234, uid: 1234, right: true },
    { owner: 0, uid: 1234, right: true },
  ])('the directory of user $owner is usable by $uid: $right', ({ owner, right, uid }) => {
    const path = scratchDir();
    chownSync(path, owner, owner);
    const open = (): void => openStateDir(path, uid).close();
    if (right) expect(open).not.toThrow();
    else expect(agentErrorOf(open).code).toBe('STATE_DIR_UNUSABLE');
  });

  test.each(['lock', 'lock.pid', 'journal.db', 'control.sock', 'anything'])(
    'a %s of another user in it is refused',
    (name) => {
      const path = scratchDir();
      openStateDir(path).close();
      rmSync(join(path, name), { force: true });
      symlinkSync('/etc/passwd', join(path, name));
      lchownSync(join(path, name), 1234, 1234);
      expect(agentErrorOf(() => openStateDir(path)).hint).toContain(`chown -h 0 ${join(path, name)}`);
      expect(statSync('/etc/passwd').mode & 0o777).toBe(0o644);
    },
  );

  test('a link of another user is refused, and one of our own is not', () => {
    const link = join(scratchDir(), 'link');
    symlinkSync(scratchDir(), link);
    openStateDir(link).close();
    lchownSync(link, 1234, 1234);
    expect(agentErrorOf(() => openStateDir(link)).code).toBe('STATE_DIR_UNUSABLE');
  });
});

test('is STATE_DIR_UNUSABLE for a file in its place or above it', () => {
  const path = join(scratchDir(), 'file');
  writeFileSync(path, '');
  for (const bad of [path, join(path, 'below')]) {
    const error = agentErrorOf(() => openStateDir(bad));
    expect(error.code).toBe('STATE_DIR_UNUSABLE');
    expect(error.message).toContain(path);
    expect(error.hint).toContain('--state-dir');
  }
});

test('is STATE_DIR_UNUSABLE on a file system without new directories', () => {
  const error = agentErrorOf(() => openStateDir('/proc/sharedcloud/state'));
  expect(error.code).toBe('STATE_DIR_UNUSABLE');
  expect(error.message).toContain('/proc/sharedcloud');
});

test.skipIf(process.getuid?.() === 0)(
  'is STATE_DIR_UNUSABLE if it is not writable (needs another user than root)',
  () => {
    const path = join(scratchDir(), 'sealed');
    mkdirSync(path, { mode: 0o500 });
    expect(agentErrorOf(() => openStateDir(path)).code).toBe('STATE_DIR_UNUSABLE');
  },
);
