import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownUid } from '../../../src/lib/foreign-access.ts';
import { readOwnFile, readSecretFile } from '../../../src/lib/own-file.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const MAX = 100;

test('is read, also through a link of our own and with the largest size', () => {
  const directory = scratchDir();
  const file = join(directory, 'file');
  writeFileSync(file, 'ä'.repeat(MAX / 2), { mode: 0o600 });
  symlinkSync('file', join(directory, 'link'));
  expect(readOwnFile(join(directory, 'link'), MAX)).toEqual({ text: 'ä'.repeat(MAX / 2) });
});

test.each(['none', 'none/file'])('is undefined where it is absent (%s)', (name) => {
  expect(readOwnFile(join(scratchDir(), name), MAX)).toBeUndefined();
});

test.each<[string, (path: string) => unknown]>([
  ['a pipe', (path) => execFileSync('mkfifo', ['-m', '600', path])],
  ['a directory', (path) => mkdirSync(path, { mode: 0o700 })],
  ['a link to a device', (path) => symlinkSync('/dev/zero', path)],
  ['too large', (path) => writeFileSync(path, 'x'.repeat(MAX + 1), { mode: 0o600 })],
  [
    'far too large',
    (path) => {
      writeFileSync(path, '', { mode: 0o600 });
      truncateSync(path, 2 ** 40);
    },
  ],
  [
    'writable by others',
    (path) => {
      writeFileSync(path, '');
      chmodSync(path, 0o602);
    },
  ],
])('is refused with a hint where it is %s', (_, make) => {
  const path = join(scratchDir(), 'file');
  make(path);
  expect(readOwnFile(path, MAX, ownUid())).toEqual({
    why: expect.any(String) as unknown,
    hint: expect.any(String) as unknown,
  });
});

test('is refused in a directory in which anybody may replace it', () => {
  const directory = join(scratchDir(), 'open');
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), '', { mode: 0o600 });
  chmodSync(directory, 0o777);
  expect(readOwnFile(join(directory, 'file'), MAX)).toMatchObject({ hint: `chmod o-w ${directory}` });
});

test('is read to its end where the system says that it is empty', () => {
  const path = '/proc/self/status';
  expect(statSync(path).size).toBe(0);
  expect(readOwnFile(path, 64 * 1024)).toMatchObject({
    text: expect.stringMatching(/^Name:[^]*\n$/) as unknown,
  });
  expect(readOwnFile(path, MAX)).toMatchObject({ why: expect.any(String) as unknown });
});

test.each([0o600, 0o400])('a secret is read from a file of mode %o', (mode) => {
  const path = join(scratchDir(), 'secret');
  writeFileSync(path, 'hush');
  chmodSync(path, mode);
  expect(readSecretFile(path, MAX)).toEqual({ text: 'hush' });
});

test.each([0o640, 0o604, 0o660])('a secret is not read from a file of mode %o', (mode) => {
  const path = join(scratchDir(), 'secret');
  writeFileSync(path, 'hush');
  chmodSync(path, mode);
  expect(readSecretFile(path, MAX)).toMatchObject({ hint: `chmod 600 ${path}` });
});
