import { existsSync, readFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { CTRL_C, CTRL_D, OnTerminal } from '../../support/cli/on-terminal.ts';

/* `login` on a real terminal: what it shows, and how it is left. */

const TOKEN = 'tok-0123456789abcdef0123456789abcdef01234';
let url = '';

/** A directory of one test: they run side by side. */
const scratch = () => mkdtempDisposable(join(tmpdir(), 'first-run-'));

beforeAll(async () => {
  const broker = new EmbeddedBroker({ token: TOKEN });
  url = await broker.listen();
  return () => broker.close();
});

const login = (file: string, term?: string): OnTerminal =>
  new OnTerminal(
    ['login', '--broker-url', url, '--token-file', file],
    {},
    { ...(term !== undefined && { term }) },
  );

test.concurrent.each(['xterm-256color', 'dumb'])(
  'signs in on a terminal of kind %s, and shows no secret',
  async (term) => {
    await using directory = await scratch();
    const file = join(directory.path, 'token');
    await using terminal = login(file, term);
    await terminal.answer('User name', 'provider');
    await terminal.answer('Password', 'wrong-one');
    await terminal.answer('User name', 'provider');
    // Corrected with backspace, and an arrow key that means nothing.
    await terminal.answer('Password', 'sandboy\u007F\u001B[Dx');
    expect(await terminal.ended).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(`${TOKEN}\n`);
    for (const secret of ['wrong-one', 'sandb', TOKEN.slice(0, 12)])
      expect(terminal.raw).not.toContain(secret);
  },
);

test.concurrent('takes a token that is pasted where one should be piped in, and does not show it', async () => {
  await using directory = await scratch();
  const argv = ['login', '--broker-url', url, '--token-file', join(directory.path, 'token'), '--with-token'];
  await using terminal = new OnTerminal(argv);
  await terminal.answer('Token', TOKEN);
  expect(await terminal.ended).toBe(0);
  expect(terminal.raw).not.toContain(TOKEN);
});

test.concurrent.each([
  ['Ctrl-C at the name', CTRL_C, undefined],
  ['Ctrl-D at the name', CTRL_D, undefined],
  ['Ctrl-C at the password', CTRL_C, 'provider'],
  ['Ctrl-D at the password', CTRL_D, 'provider'],
])('writes nothing after %s', async (_, keys, username) => {
  await using directory = await scratch();
  const file = join(directory.path, 'token');
  await using terminal = login(file);
  if (username !== undefined) await terminal.answer('User name', username);
  await terminal.until(username === undefined ? 'User name' : 'Password');
  terminal.type(keys);
  expect(await terminal.ended).toBe(130);
  expect(existsSync(file)).toBe(false);
});
