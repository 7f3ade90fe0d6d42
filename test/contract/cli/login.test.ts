import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { type Ran, runLine } from '../../support/cli/run.ts';
import { Scripted } from '../../support/cli/scripted.ts';
import { httpServer, json } from '../../support/faults/server.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

/* `login` and `logout` against a real broker: which token is written, where, and what leaves the old one as it is. */

const TOKEN = 'tok-0123456789abcdef0123456789abcdef01234';
const PASSWORD = 'sandbox';
let url = '';

beforeAll(async () => {
  const broker = new EmbeddedBroker({ token: TOKEN });
  url = await broker.listen();
  return () => broker.close();
});

type Given = {
  readonly flags?: readonly string[];
  readonly input?: string;
  readonly answers?: readonly (string | boolean)[];
  readonly broker?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Logs in; `said` is what the conversation showed. */
async function login(tokenFile: string, given: Given = {}): Promise<Ran & { readonly scripted: Scripted }> {
  const { answers, broker = url, env = {}, flags = [], input = '' } = given;
  const scripted = new Scripted(...(answers ?? []));
  const argv = ['login', '--broker-url', broker, '--token-file', tokenFile, ...flags];
  const ran = await runLine(argv, env, undefined, {
    input,
    ...(answers !== undefined && { prompts: scripted }),
  });
  return { ...ran, scripted };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const codeOf = ({ stderr }: Ran): string => /^error (\w+)/m.exec(stderr)?.[1] ?? stderr;

test('writes the token of a user name and password, readable by nobody else', async () => {
  const file = join(scratchDir(), 'new', 'token');
  const ran = await login(file, { answers: ['provider', PASSWORD] });
  expect(ran).toMatchObject({ exit: 0, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe(`${TOKEN}\n`);
  expect([modeOf(file), modeOf(join(file, '..'))]).toEqual(['600', '700']);
  expect(ran.stdout).toContain('provider');
  for (const secret of [TOKEN, PASSWORD]) expect(JSON.stringify(ran)).not.toContain(secret);
});

test.each([
  ['a pasted token', { answers: ['', TOKEN] }],
  ['a pasted token with blanks around it', { answers: ['', `  ${TOKEN} `] }],
  ['a token on standard input', { flags: ['--with-token'], input: `${TOKEN}\n` }],
  [
    'a password on standard input',
    { flags: ['--username', 'provider', '--with-password'], input: `${PASSWORD}\n` },
  ],
  ['a user name as a flag', { flags: ['--username', 'provider'], answers: [PASSWORD] }],
  [
    'the right password after two wrong ones',
    { answers: ['provider', 'no', 'provider', 'no', 'provider', PASSWORD] },
  ],
  ['the right token after a refused one', { answers: ['', 'not-this-one', '', TOKEN] }],
])('takes %s', async (_, given) => {
  const file = join(scratchDir(), 'token');
  expect(await login(file, given)).toMatchObject({ exit: 0 });
  expect(readFileSync(file, 'utf8')).toBe(`${TOKEN}\n`);
});

test.each([
  [
    'a wrong password on standard input',
    { flags: ['--username', 'provider', '--with-password'], input: 'no' },
    3,
    'BROKER_UNAUTHORIZED',
  ],
  ['three wrong passwords', { answers: ['a', 'a', 'b', 'b', 'c', 'c'] }, 3, 'BROKER_UNAUTHORIZED'],
  [
    'a token that the broker refuses',
    { flags: ['--with-token'], input: 'another' },
    3,
    'BROKER_UNAUTHORIZED',
  ],
  ['a token in quotes', { flags: ['--with-token'], input: `"${TOKEN}"` }, 2, 'CONFIG_INVALID'],
  ['two tokens', { flags: ['--with-token'], input: `${TOKEN} ${TOKEN}` }, 2, 'CONFIG_INVALID'],
  ['no token', { flags: ['--with-token'], input: '\n' }, 2, 'TOKEN_MISSING'],
  ['no password', { flags: ['--username', 'provider', '--with-password'] }, 2, 'CONFIG_INVALID'],
  ['no terminal', {}, 2, 'TOKEN_MISSING'],
  ['a password without a name', { flags: ['--with-password'], input: PASSWORD }, 2, 'CONFIG_INVALID'],
  [
    'a token beside a password',
    { flags: ['--with-token', '--with-password'], input: TOKEN },
    2,
    'CONFIG_INVALID',
  ],
  [
    'no broker',
    { flags: ['--with-token'], input: TOKEN, broker: 'http://127.0.0.1:9' },
    4,
    'BROKER_UNREACHABLE',
  ],
  ['plain http to another host', { answers: [], broker: 'http://192.0.2.7' }, 2, 'CONFIG_INVALID'],
  ['a password as a flag', { flags: ['--password', PASSWORD] }, 2, 'CONFIG_INVALID'],
])('writes nothing with %s', async (_, given, exit, code) => {
  const file = join(scratchDir(), 'token');
  const ran = await login(file, given);
  expect([ran.exit, codeOf(ran)]).toEqual([exit, code]);
  expect(existsSync(file)).toBe(false);
});

test('is cancelled by Ctrl-C, and by the end of the input', async () => {
  const file = join(scratchDir(), 'token');
  for (const answers of [[], ['provider'], ['']])
    expect(await login(file, { answers })).toMatchObject({ exit: 130 });
  expect(existsSync(file)).toBe(false);
});

test('asks before it replaces a token, and keeps the old one until the new one works', async () => {
  const file = join(scratchDir(), 'token');
  const piped = { flags: ['--with-token'], input: TOKEN };
  writeFileSync(file, 'old\n', { mode: 0o640 });
  expect(codeOf(await login(file, piped))).toBe('NOT_CONFIRMED');
  expect(await login(file, { answers: [false] })).toMatchObject({ exit: 1 });
  expect(await login(file, { answers: [true, 'provider', 'no'] })).toMatchObject({ exit: 130 });
  expect(codeOf(await login(file, { flags: ['--with-token', '--yes'], input: 'wrong' }))).toBe(
    'BROKER_UNAUTHORIZED',
  );
  expect(readFileSync(file, 'utf8')).toBe('old\n');
  const done = await login(file, { flags: ['--with-token', '--yes', '--json'], input: TOKEN });
  expect(JSON.parse(done.stdout)).toEqual({
    account: 'provider',
    broker: url,
    tokenFile: file,
    replaced: true,
  });
  expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual([`${TOKEN}\n`, '600']);
});

test('replaces what a link leads to', async () => {
  const directory = scratchDir();
  writeFileSync(join(directory, 'real'), 'old\n', { mode: 0o600 });
  symlinkSync('real', join(directory, 'token'));
  expect(await login(join(directory, 'token'), { answers: [true, '', TOKEN] })).toMatchObject({ exit: 0 });
  expect(readFileSync(join(directory, 'real'), 'utf8')).toBe(`${TOKEN}\n`);
});

test('warns where the environment has a token that counts instead', async () => {
  const directory = scratchDir();
  writeFileSync(join(directory, 'config.toml'), `token-file = "${join(directory, 'token')}"\n`);
  const argv = ['login', '--with-token', '--broker-url', url, '--config', join(directory, 'config.toml')];
  const ran = await runLine(argv, { SHAREDCLOUD_TOKEN: 'elsewhere' }, undefined, { input: TOKEN });
  expect([ran.exit, ran.stderr]).toEqual([0, expect.stringContaining('SHAREDCLOUD_TOKEN')]);
  expect(readFileSync(join(directory, 'token'), 'utf8')).toBe(`${TOKEN}\n`);
});

test.skipIf(process.getuid?.() !== 0)(
  'leaves a file to its owner, and stays out of directories of others',
  async () => {
    const directory = scratchDir();
    const file = join(directory, 'token');
    writeFileSync(file, 'old\n', { mode: 0o600 });
    chownSync(file, 1234, 1234);
    expect(await login(file, { flags: ['--yes', '--with-token'], input: TOKEN })).toMatchObject({ exit: 0 });
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 1234 });
    chmodSync(directory, 0o755);
    chownSync(directory, 1234, 1234);
    const refused = await login(file, { flags: ['--yes', '--with-token'], input: TOKEN });
    expect(codeOf(refused)).toBe('TOKEN_FILE_UNSAFE');
  },
);

test.each([
  [400, { non_field_errors: ['User account is disabled.'] }, 'BROKER_UNAUTHORIZED', 'disabled'],
  [403, { detail: 'Too many attempts: locked.' }, 'BROKER_UNAUTHORIZED', 'locked'],
  [429, { detail: 'Request was throttled.' }, 'BROKER_UNAVAILABLE', 'throttled'],
  [503, {}, 'BROKER_UNAVAILABLE', '503'],
  [404, { detail: 'Not found.' }, 'BROKER_NOT_FOUND', '404'],
  [200, { nothing: 1 }, 'BROKER_BAD_ANSWER', 'token'],
  [400, { non_field_errors: [`no user with ${PASSWORD}`] }, 'BROKER_UNAUTHORIZED', 'redacted'],
])('says what a broker means by %d %j', async (status, body, code, words) => {
  const asked: unknown[] = [];
  const server = await httpServer(({ headers }, response) => {
    asked.push(headers.authorization);
    json(response, body, status);
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const file = join(scratchDir(), 'token');
  const ran = await login(file, {
    flags: ['--username', 'provider', '--with-password'],
    input: PASSWORD,
    broker: server.url,
  });
  expect([codeOf(ran), ran.stderr]).toEqual([code, expect.stringContaining(words)]);
  expect(ran.stderr).not.toContain(PASSWORD);
  expect(asked).toEqual([undefined]);
  expect(existsSync(file)).toBe(false);
});

test('logout removes the file, once', async () => {
  const file = join(scratchDir(), 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  const out = async (): Promise<unknown> =>
    JSON.parse((await runLine(['logout', '--json', '--token-file', file])).stdout);
  expect(await out()).toEqual({ tokenFile: file, removed: true });
  expect(existsSync(file)).toBe(false);
  expect(await out()).toEqual({ tokenFile: file, removed: false });
});
