import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TokenOrigin, TokenSource, tokenOrigin } from '../../../src/config/token.ts';
import { DEFAULT_FILE, load } from '../../support/config/load.ts';

const uid = process.getuid?.() ?? 0;
let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'token-'));
  file = join(dir, 'token');
});

afterEach(() => rm(dir, { recursive: true }));

function source(origin: TokenOrigin, onToken: (token: string) => void = () => {}): TokenSource {
  return new TokenSource(origin, uid, onToken);
}

const fromFile = () => source({ kind: 'file', path: file });

async function write(text: string, mode = 0o600): Promise<void> {
  await writeFile(file, text);
  await chmod(file, mode);
}

describe('a token file', () => {
  test('gives the token without the line break, and tells of it first', async () => {
    await write('abc123\n');
    const told: string[] = [];
    const tokens = source({ kind: 'file', path: file }, (token) => told.push(token));
    expect(await tokens.current()).toBe('abc123');
    expect(told).toEqual(['abc123']);
  });

  test('is read again on reload only', async () => {
    await write('old');
    const tokens = fromFile();
    await tokens.current();
    await write('new');
    expect(await tokens.current()).toBe('old');
    expect(await tokens.reload()).toBe('new');
    expect(await tokens.current()).toBe('new');
  });

  test('that went bad leaves the token that was read before', async () => {
    await write('old');
    const tokens = fromFile();
    await tokens.current();
    await rm(file);
    await expect(tokens.reload()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
    expect(await tokens.current()).toBe('old');
  });

  test.each([0o640, 0o604, 0o644, 0o660, 0o620, 0o601])('with mode %o is refused', async (mode) => {
    await write('abc', mode);
    await expect(fromFile().current()).rejects.toMatchObject({
      code: 'TOKEN_FILE_UNSAFE',
      hint: `chmod 600 ${file}`,
      exit: 2,
    });
  });

  test.each([0o600, 0o400, 0o700])('with mode %o is taken', async (mode) => {
    await write('abc', mode);
    expect(await fromFile().current()).toBe('abc');
  });

  test.runIf(uid === 0)('of another user is refused', async () => {
    await write('abc');
    await chown(file, 12_345, 12_345);
    await expect(fromFile().current()).rejects.toMatchObject({
      code: 'TOKEN_FILE_UNSAFE',
      hint: `chown 0 ${file}`,
    });
  });

  test.each([
    ['', 'TOKEN_MISSING'],
    [' \n\n', 'TOKEN_MISSING'],
    ['a b', 'CONFIG_INVALID'],
    ['a\nb', 'CONFIG_INVALID'],
    ['a\r\nX-Evil: 1', 'CONFIG_INVALID'],
    ['a\u001b[31m', 'CONFIG_INVALID'],
    ['tökén', 'CONFIG_INVALID'],
    ['x'.repeat(5000), 'CONFIG_INVALID'],
  ])('that holds %j is refused, and what it holds is not repeated', async (text, code) => {
    await write(text);
    const reading = fromFile().current();
    await expect(reading).rejects.toMatchObject({ code });
    await expect(reading).rejects.toSatisfy((error) => !String(error).includes(text.trim() || 'nothing'));
  });

  test('that is not there, or a directory, or a pipe', async () => {
    await expect(fromFile().current()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
    await mkdir(file, 0o700);
    await expect(fromFile().current()).rejects.toMatchObject({ message: `${file} is not a regular file` });
    await rm(file, { recursive: true });
    execFileSync('mkfifo', ['-m', '600', file]);
    await expect(fromFile().current()).rejects.toMatchObject({ message: `${file} is not a regular file` });
  });

  test('is not asked for its mode where systemd made it', async () => {
    await write('abc', 0o440);
    const absent = join(dir, 'absent');
    expect(await source({ kind: 'credential', path: file, source: absent }).current()).toBe('abc');
  });

  test('that systemd copied is refused where others may read what it copied', async () => {
    await write('abc', 0o440);
    const original = join(dir, 'original');
    await writeFile(original, 'abc', { mode: 0o600 });
    const tokens = source({ kind: 'credential', path: file, source: original });
    expect(await tokens.reload()).toBe('abc');
    await chmod(original, 0o644);
    await expect(tokens.reload()).rejects.toMatchObject({
      code: 'TOKEN_FILE_UNSAFE',
      hint: `chmod 600 ${original}`,
    });
  });
});

describe('which token counts', () => {
  const origin = async (given: Parameters<typeof load>[0]) => tokenOrigin(await load(given));
  const variable = { kind: 'variable', name: 'SHAREDCLOUD_TOKEN', token: 'abc' };

  test.each([
    [
      { flags: { tokenFile: ['/f'] }, env: { SHAREDCLOUD_TOKEN: 'abc' } },
      { kind: 'file', path: '/f' },
    ],
    [{ env: { SHAREDCLOUD_TOKEN: 'abc', SHAREDCLOUD_TOKEN_FILE: '/e' } }, variable],
    [{ env: { SHAREDCLOUD_TOKEN: 'abc' }, files: { [DEFAULT_FILE]: 'token-file = "/x"' } }, variable],
    [{ files: { [DEFAULT_FILE]: 'token-file = "/x"' } }, { kind: 'file', path: '/x' }],
    [
      { env: { CREDENTIALS_DIRECTORY: '/run/credentials/a' } },
      {
        kind: 'credential',
        path: '/run/credentials/a/token',
        source: '/etc/sharedcloud-agent/token',
      },
    ],
  ])('%j: %j', async (given, expected) => {
    expect(await origin(given)).toEqual(expected);
  });

  test('without any of them it is the file beside the configuration', async () => {
    expect(await origin({})).toEqual({ kind: 'file', path: '/etc/sharedcloud-agent/token' });
  });

  test.each([`"token"`, `'token'`, `"token`, `token'`])('one in quotes is refused: %s', async (token) => {
    const quoted = source({ kind: 'variable', name: 'SHAREDCLOUD_TOKEN', token });
    await expect(quoted.current()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'SHAREDCLOUD_TOKEN holds a token in quotes',
      hint: 'write the token alone, without quotes around it',
    });
  });

  test('a bad one in the environment is refused by its name', async () => {
    const bad = source({ kind: 'variable', name: 'SHAREDCLOUD_TOKEN', token: 'a b' });
    await expect(bad.current()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'SHAREDCLOUD_TOKEN holds something that is not one token',
    });
  });
});
