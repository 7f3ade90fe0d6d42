import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
  test('is read without the line break, and reported first', async () => {
    await write('abc123\n');
    const reported: string[] = [];
    const tokens = source({ kind: 'file', path: file }, (token) => reported.push(token));
    expect(await tokens.current()).toBe('abc123');
    expect(reported).toEqual(['abc123']);
  });

  test('is reread by reload only', async () => {
    await write('old');
    const tokens = fromFile();
    await tokens.current();
    await write('new');
    expect(await tokens.current()).toBe('old');
    expect(await tokens.reload()).toBe('new');
    expect(await tokens.current()).toBe('new');
  });

  test('that disappears keeps the token that was read before', async () => {
    await write('old');
    const tokens = fromFile();
    await tokens.current();
    await rm(file);
    await expect(tokens.reload()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
    expect(await tokens.current()).toBe('old');
  });

  test.each([0o640, 0o604, 0o644, 0o660, 0o620, 0o601])('with mode %o is TOKEN_FILE_UNSAFE', async (mode) => {
    await write('abc', mode);
    await expect(fromFile().current()).rejects.toMatchObject({
      code: 'TOKEN_FILE_UNSAFE',
      hint: `chmod 600 ${file}`,
      exit: 2,
    });
  });

  test.each([0o600, 0o400, 0o700])('with mode %o is accepted', async (mode) => {
    await write('abc', mode);
    expect(await fromFile().current()).toBe('abc');
  });

  test.runIf(uid === 0)('of another user is TOKEN_FILE_UNSAFE', async () => {
    await write('abc');
    await chown(file, 12_345, 12_345);
    await expect(fromFile().current()).rejects.toMatchObject({
      code: 'TOKEN_FILE_UNSAFE',
      hint: `chown 0 ${file}`,
    });
  });

  test('in a directory in which anybody may replace it is TOKEN_FILE_UNSAFE', async () => {
    const open = join(dirname(file), 'open');
    await mkdir(open);
    await writeFile(join(open, 'token'), 'abc', { mode: 0o600 });
    await chmod(open, 0o777);
    const tokens = new TokenSource({ kind: 'file', path: join(open, 'token') }, uid, () => undefined);
    await expect(tokens.current()).rejects.toMatchObject({
      code: 'TOKEN_FILE_UNSAFE',
      hint: `chmod o-w ${open}`,
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
  ])('with the content %j is an error that does not repeat it', async (text, code) => {
    await write(text);
    const reading = fromFile().current();
    await expect(reading).rejects.toMatchObject({ code });
    await expect(reading).rejects.toSatisfy((error) => !String(error).includes(text.trim() || 'nothing'));
  });

  test('that is missing, a directory or a pipe is an error', async () => {
    await expect(fromFile().current()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
    await mkdir(file, 0o700);
    await expect(fromFile().current()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await rm(file, { recursive: true });
    execFileSync('mkfifo', ['-m', '600', file]);
    await expect(fromFile().current()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('may have any mode if systemd made it', async () => {
    await write('abc', 0o440);
    const absent = join(dir, 'absent');
    expect(await source({ kind: 'credential', path: file, source: absent }).current()).toBe('abc');
  });

  test('that systemd copied from an unsafe file is TOKEN_FILE_UNSAFE', async () => {
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

describe('the token origin', () => {
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
  ])('for %j is %j', async (given, expected) => {
    expect(await origin(given)).toEqual(expected);
  });

  test('is by default the file beside the configuration', async () => {
    expect(await origin({})).toEqual({ kind: 'file', path: '/etc/sharedcloud-agent/token' });
  });

  test.each([`"token"`, `'token'`, `"token`, `token'`])(
    'with a token in quotes is CONFIG_INVALID: %s',
    async (token) => {
      const quoted = source({ kind: 'variable', name: 'SHAREDCLOUD_TOKEN', token });
      await expect(quoted.current()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
    },
  );

  test('with an invalid token in the environment is CONFIG_INVALID with the variable', async () => {
    const bad = source({ kind: 'variable', name: 'SHAREDCLOUD_TOKEN', token: 'a b' });
    await expect(bad.current()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(bad.current()).rejects.toThrow('SHAREDCLOUD_TOKEN');
  });
});
