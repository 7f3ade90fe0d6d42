import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { type Ran, runLine } from '../../support/cli/run.ts';
import { Scripted } from '../../support/cli/scripted.ts';
import { scratchDir } from '../../support/journal/scratch.ts';
import { changed, TESLA_T4, TWO_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

/* `setup` against a real broker, with a stand-in for nvidia-smi: what it writes, and what it leaves alone. */

const TOKEN = 'tok-0123456789abcdef0123456789abcdef01234';
const SMI: Record<'one' | 'display' | 'models' | 'none', string> = {
  one: '',
  display: '',
  models: '',
  none: '/nonexistent',
};
let url = '';

beforeAll(async () => {
  const broker = new EmbeddedBroker({ token: TOKEN });
  url = await broker.listen();
  const t4 = broker.store.gpus.all().find(({ codename }) => codename === 't4');
  for (const askPrice of [0.02, 0.03, 0.09]) {
    const terms = { name: 'other', type: 2, gpu: t4?.uuid ?? '', askPrice, maxNumParallelJobs: 1 } as const;
    broker.store.offers.setAvailable(broker.store.offers.add('buyer', terms).uuid, true);
  }
  const one = await standIn(TESLA_T4, { quick: true });
  const display = await standIn(changed(TESLA_T4, 0, { display_active: 'Enabled' }), { quick: true });
  const models = await standIn(changed(TWO_T4, 1, { name: 'NVIDIA A10', 'memory.total': '23028' }), {
    quick: true,
  });
  Object.assign(SMI, { one: one.program, display: display.program, models: models.program });
  return async () => {
    await broker.close();
    for (const smi of [one, display, models]) await smi[Symbol.asyncDispose]();
  };
});

type Given = {
  readonly flags?: readonly string[];
  readonly answers?: readonly (string | boolean)[];
  readonly scripted?: Scripted;
  readonly smi?: keyof typeof SMI;
  readonly broker?: string;
  /** Undefined: no token file is there. */
  readonly token?: string;
  readonly config?: string;
};

/** Sets up in a directory of its own. */
async function setup(given: Given = {}, directory = scratchDir()) {
  const { answers, broker = url, config, flags = [], smi = 'one', token } = given;
  const files = { config: join(directory, 'config.toml'), token: join(directory, 'token') };
  if (config !== undefined) writeFileSync(files.config, config);
  if (token !== undefined) writeFileSync(files.token, `${token}\n`, { mode: 0o600 });
  const scripted = given.scripted ?? new Scripted(...(answers ?? []));
  const isAsked = answers !== undefined || given.scripted !== undefined;
  const argv = ['setup', '--config', files.config, '--token-file', files.token, '--no-network', ...flags];
  const env = {
    SHAREDCLOUD_BROKER_URL: broker,
    SHAREDCLOUD_NVIDIA_SMI: SMI[smi],
    SHAREDCLOUD_STATE_DIR: join(directory, 'state'),
  };
  const ran = await runLine(
    [...argv, ...(flags.includes('--check') ? [] : ['--skip-check'])],
    env,
    undefined,
    { input: TOKEN, ...(isAsked && { prompts: scripted }) },
  );
  const text = existsSync(files.config) ? readFileSync(files.config, 'utf8') : undefined;
  return {
    ...ran,
    scripted,
    directory,
    text,
    values: text === undefined ? undefined : parse(text),
    token: existsSync(files.token) ? readFileSync(files.token, 'utf8').trim() : undefined,
  };
}

const codeOf = ({ stderr }: Ran): string => /^error (\w+)/m.exec(stderr)?.[1] ?? stderr;
const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => name !== 'state');
const YES = ['--yes', '--with-token'];
/** To every question of a host with a T4, its token in place. */
const ALL = ['0.30', '', '', '', '', '', true];

test('--yes writes what flags and proposals say, and does nothing the second time', async () => {
  const first = await setup({ flags: [...YES, '--json', '--images', 'a/*,b/*', '--cpu-slots', '0'] });
  expect(JSON.parse(first.stdout)).toMatchObject({
    account: 'provider',
    token: 'written',
    config: 'written',
    backup: null,
    network: 'skipped',
    service: 'skipped',
  });
  expect(first.token).toBe(TOKEN);
  // The median of what others ask.
  expect(first.values).toEqual({
    'ask-price': 0.03,
    images: ['a/*', 'b/*'],
    'token-file': join(first.directory, 'token'),
  });
  // A terminal of 80 columns would break a longer one, and then it looks like no comment.
  for (const line of first.text?.split('\n') ?? [])
    if (line.startsWith('#')) expect(line.length).toBeLessThan(76);
  const second = await setup({ flags: ['--yes', '--json'] }, first.directory);
  expect(JSON.parse(second.stdout)).toMatchObject({ token: 'kept', config: 'unchanged', backup: null });
  expect(filesIn(first.directory)).toEqual(['config.toml', 'token']);
});

test('asks, and writes what was answered', async () => {
  const ran = await setup({
    answers: [
      'provider',
      'sandbox',
      '0.30',
      '0.05',
      'x/*',
      false,
      'https://ntfy.example/gpus',
      false,
      '',
      'weekdays',
      true,
    ],
  });
  expect(ran).toMatchObject({ exit: 0, token: TOKEN });
  expect(ran.values).toEqual({
    'ask-price': 0.05,
    'electricity-price': 0.3,
    images: ['x/*'],
    listen: 'off',
    'notify-ntfy': 'https://ntfy.example/gpus',
    'token-file': join(ran.directory, 'token'),
    availability: [{ days: 'weekdays', hours: '22:00-07:00', available: true }],
  });
  expect(ran.scripted.said.join('\n')).toContain('Tesla T4');
  for (const secret of [TOKEN, 'sandbox']) expect(ran.stdout + ran.stderr).not.toContain(secret);
});

test('asks for another token after a refused one, also for one that is there', async () => {
  const ran = await setup({ token: 'stale-token', answers: ['', 'wrong-token', '', TOKEN, ...ALL] });
  expect(ran).toMatchObject({ exit: 0, token: TOKEN });
});

test('keeps a token that works, and asks nothing about it', async () => {
  const ran = await setup({ token: TOKEN, answers: ALL });
  expect(ran).toMatchObject({ exit: 0, token: TOKEN });
  expect(ran.scripted.asked).toHaveLength(ALL.length);
});

test.each(ALL.map((_, count) => count))('writes nothing when cancelled at question %d', async (count) => {
  const ran = await setup({ answers: ['', TOKEN, ...ALL].slice(0, count + 2) });
  expect(ran.exit).toBe(130);
  expect(filesIn(ran.directory)).toEqual([]);
});

test('writes nothing where the owner does not want it', async () => {
  const ran = await setup({ answers: ['', TOKEN, ...ALL.slice(0, -1), false] });
  expect(ran.exit).toBe(1);
  expect(filesIn(ran.directory)).toEqual([]);
});

test('--print shows the file, and writes nothing', async () => {
  const ran = await setup({ flags: [...YES, '--print'] });
  expect(parse(ran.stdout)).toMatchObject({ 'ask-price': 0.03 });
  expect(filesIn(ran.directory)).toEqual([]);
});

test('keeps comments, order and other values of a file, and a copy of it', async () => {
  const before = `# mine\r\nask-price = 0.01 # low\n\n# proxies\nno-proxy = "a, b"\n[gpu."Tesla V100"] # not here\nslots = 2\n`;
  const ran = await setup({
    token: TOKEN,
    config: before,
    flags: ['--yes', '--ask-price', '0.04', '--json'],
  });
  expect(ran.text).toBe(
    before
      .replace('0.01', '0.04')
      .replace(
        '"a, b"\n',
        `"a, b"\n\n# File with the broker’s token, which only its owner may read (mode 0600).\ntoken-file = "${join(ran.directory, 'token')}"\n`,
      ),
  );
  const { backup } = z.object({ backup: z.string() }).parse(JSON.parse(ran.stdout));
  expect(readFileSync(backup, 'utf8')).toBe(before);
});

test('leaves a file that was changed meanwhile', async () => {
  const directory = scratchDir();
  const file = join(directory, 'config.toml');
  const scripted = new Scripted(...ALL);
  const confirm = scripted.confirm.bind(scripted);
  scripted.confirm = (question) => {
    writeFileSync(file, 'ask-price = 9\n');
    return confirm(question);
  };
  const ran = await setup({ token: TOKEN, config: 'ask-price = 0.01\n', scripted }, directory);
  expect([ran.exit, codeOf(ran), ran.text]).toEqual([2, 'CONFIG_INVALID', 'ask-price = 9\n']);
});

test('keeps what is set where nothing else is asked for', async () => {
  const config = 'ask-price = 0.01\nimages = "mine/*"\nwhen-active = "ignore"\n';
  const ran = await setup({
    token: TOKEN,
    config,
    smi: 'display',
    answers: ['', '', '', '', '', '', '', '', true],
  });
  expect(ran.values).toEqual({ ...parse(config), 'token-file': join(ran.directory, 'token') });
});

test('refuses a file with unknown keys, and leaves it', async () => {
  const config = 'ask-price = 0.01\nfrom-the-future = 1\n';
  const ran = await setup({ token: TOKEN, config, flags: ['--yes'] });
  expect([ran.exit, codeOf(ran), ran.text]).toEqual([2, 'CONFIG_INVALID', config]);
});

test('asks about the owner’s presence where a GPU has a display', async () => {
  const ran = await setup({
    token: TOKEN,
    smi: 'display',
    answers: ['', '', '', 'reclaim', 'ignore', '', '', '', true],
  });
  expect(ran.values).toMatchObject({ 'when-active': 'reclaim', 'when-gaming': 'ignore' });
});

test('asks for each model, and writes a table for each', async () => {
  const ran = await setup({
    token: TOKEN,
    smi: 'models',
    answers: ['0.30', '', '0.2', '', '', '', '', true],
  });
  expect(ran.values).toMatchObject({
    gpu: { 'Tesla T4': { 'ask-price': 0.03 }, 'NVIDIA A10': { 'ask-price': 0.2 } },
  });
});

test('writes prices by windows of time, and reads them again', async () => {
  const answers = ['0.30; 22:00-06:00 0.18; sat, sun 0.2', ...ALL.slice(1)];
  const first = await setup({ token: TOKEN, answers });
  const written = { 'electricity-price': '0.3; 22:00-06:00 0.18; sat,sun 0.2' };
  expect(first.values).toMatchObject(written);
  const second = await setup({ flags: ['--yes'] }, first.directory);
  expect(second.values).toMatchObject(written);
});

test('asks again where a price is below what the power costs', async () => {
  const ran = await setup({ token: TOKEN, answers: ['0.30', '0.0001', false, '0.04', ...ALL.slice(2)] });
  expect(ran.values).toMatchObject({ 'ask-price': 0.04 });
});

test('takes a schedule by flags, and leaves one that is there', async () => {
  const flags = [...YES, '--available-hours', '22:00-07:00', '--available-days', 'weekend'];
  const first = await setup({ flags });
  const rule = { days: 'weekend', hours: '22:00-07:00', available: true };
  expect(first.values).toMatchObject({ availability: [rule] });
  const second = await setup({ flags: ['--yes', '--available-hours', '1:00-2:00'] }, first.directory);
  expect(second.values).toMatchObject({ availability: [rule] });
});

test('offers CPU jobs where there is no GPU', async () => {
  const ran = await setup({ token: TOKEN, smi: 'none', answers: ['2', '0.01', '', '', '', '', true] });
  expect(ran.values).toMatchObject({ 'cpu-slots': 2, 'ask-price': 0.01 });
});

test.each([
  ['no token', {}, 2, 'TOKEN_MISSING'],
  ['a refused token', { token: 'stale-token' }, 3, 'BROKER_UNAUTHORIZED'],
  ['a broker that is down', { broker: 'http://127.0.0.1:9', token: TOKEN }, 4, 'BROKER_UNREACHABLE'],
  ['no GPU', { smi: 'none', token: TOKEN }, 6, 'GPU_PROBE_FAILED'],
  ['no price for CPU jobs', { smi: 'none', token: TOKEN, flags: ['--cpu-slots', '1'] }, 2, 'CONFIG_INVALID'],
  ['hours that are none', { token: TOKEN, flags: ['--available-hours', '25-26'] }, 2, 'CONFIG_INVALID'],
  [
    'a price of electricity that is none',
    { token: TOKEN, flags: ['--electricity-price', 'x'] },
    2,
    'CONFIG_INVALID',
  ],
  ['plain http to another host', { token: TOKEN, broker: 'http://192.0.2.7' }, 2, 'CONFIG_INVALID'],
] as const)('--yes fails with %s, and writes nothing', async (_, given: Given, exit, code) => {
  const ran = await setup({ ...given, flags: ['--yes', ...(given.flags ?? [])] });
  expect([ran.exit, codeOf(ran), ran.text]).toEqual([exit, code, undefined]);
  expect(filesIn(ran.directory)).toEqual(given.token === undefined ? [] : ['token']);
});

test('without a terminal and --yes it says what to do', async () => {
  const ran = await setup();
  expect([ran.exit, codeOf(ran)]).toEqual([2, 'CONFIG_INVALID']);
});

test('writes a file with secrets for its owner only', async () => {
  const config = 'https-proxy = "http://me:s3cret-word@proxy.example:3128"\n';
  const ran = await setup({ token: TOKEN, config, flags: ['--yes'] });
  const file = join(ran.directory, 'config.toml');
  expect(statSync(file).mode & 0o007).toBe(0);
  expect(ran.stdout + ran.stderr).not.toContain('s3cret-word');
});

test('writes a secret URL whole', async () => {
  const hook = 'https://hooks.example/secret-path';
  const ran = await setup({ flags: [...YES, '--notify-webhook', hook] });
  expect(ran.values).toMatchObject({ 'notify-webhook': hook });
  expect(statSync(join(ran.directory, 'config.toml')).mode & 0o007).toBe(0);
});

test.skipIf(process.getuid?.() !== 0)('keeps the mode of a file without secrets', async () => {
  const directory = scratchDir();
  writeFileSync(join(directory, 'config.toml'), '');
  chmodSync(join(directory, 'config.toml'), 0o640);
  await setup({ token: TOKEN, flags: ['--yes'] }, directory);
  expect(statSync(join(directory, 'config.toml')).mode & 0o777).toBe(0o640);
});
