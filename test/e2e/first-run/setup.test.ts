import { readdirSync, readFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { beforeAll, expect, test } from 'vitest';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { CTRL_C, CTRL_D, OnTerminal, type TerminalKind } from '../../support/cli/on-terminal.ts';
import { changed, TESLA_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

/* The dialogue of `setup` on real terminals, of a host without Docker. */

const TOKEN = 'tok-0123456789abcdef0123456789abcdef01234';
const DOWN = '\u001B[B';
let env: Readonly<Record<string, string>> = {};

/** A directory of one test: they run side by side. */
const scratch = () => mkdtempDisposable(join(tmpdir(), 'first-run-'));

beforeAll(async () => {
  const broker = new EmbeddedBroker({ token: TOKEN });
  const smi = await standIn(changed(TESLA_T4, 0, { display_active: 'Enabled' }), { quick: true });
  env = {
    SHAREDCLOUD_BROKER_URL: await broker.listen(),
    SHAREDCLOUD_NVIDIA_SMI: smi.program,
    DOCKER_HOST: 'unix:///nonexistent',
  };
  return async () => {
    await broker.close();
    await smi[Symbol.asyncDispose]();
  };
});

function setup(directory: string, flags: readonly string[], kind: TerminalKind, more = {}): OnTerminal {
  const files = ['--config', join(directory, 'config.toml'), '--token-file', join(directory, 'token')];
  const own = { SHAREDCLOUD_STATE_DIR: join(directory, 'state'), ...env, ...more };
  return new OnTerminal(['setup', ...files, '--no-network', ...flags], own, kind);
}

/** The questions of this host in their order, and an answer to each. */
const STEPS: readonly (readonly [question: string, answer: string])[] = [
  ['User name', 'provider'],
  ['Password', 'sandbox'],
  ['kWh', '0.30'],
  ['Your ask', '0.05'],
  ['Which images', ''],
  ['While you use', DOWN],
  ['While a game', ''],
  ['status page', ''],
  ['topic of ntfy', ''],
  ['at all times', ''],
  ['Write this', ''],
];

test.concurrent.each<[string, TerminalKind, Readonly<Record<string, string>>]>([
  ['80 columns', {}, {}],
  ['40 columns, ASCII and no colours', { columns: 40, rows: 16 }, { LANG: 'C', NO_COLOR: '1' }],
  ['only lines', { term: 'dumb' }, { LANG: 'C' }],
])('asks everything on a terminal of %s', async (_, kind, more) => {
  await using scratched = await scratch();
  const directory = scratched.path;
  await using terminal = setup(directory, [], kind, more);
  for (const [question, answer] of STEPS) {
    if (question === 'kWh') await terminal.answer('Go on');
    // Without a cursor one chooses by number.
    await terminal.answer(question, answer === DOWN && kind.term === 'dumb' ? '2' : answer);
  }
  expect(await terminal.ended).toBe(0);
  expect(parse(readFileSync(join(directory, 'config.toml'), 'utf8'))).toEqual({
    'electricity-price': 0.3,
    'ask-price': 0.05,
    'when-active': 'reclaim',
    'token-file': join(directory, 'token'),
  });
  expect(readFileSync(join(directory, 'token'), 'utf8')).toBe(`${TOKEN}\n`);
  for (const secret of ['sandbox', TOKEN]) expect(terminal.raw).not.toContain(secret);
  if ('LANG' in more) expect(terminal.shown.replace(/’/g, '')).toMatch(/^\p{ASCII}*$/u);
  if ('NO_COLOR' in more) expect(terminal.raw).not.toMatch(/\p{Cc}\[3\dm/u);
});

test.concurrent.each([
  ['Ctrl-C at the user name', 0, CTRL_C],
  ['Ctrl-C at the password', 1, CTRL_C],
  ['Ctrl-D at a text', 3, CTRL_D],
  ['Ctrl-C at a choice', 5, CTRL_C],
  ['Ctrl-D at a choice', 6, CTRL_D],
  ['Ctrl-C at the end', 10, CTRL_C],
])('leaves nothing behind after %s', async (_, at, keys) => {
  await using scratched = await scratch();
  const directory = scratched.path;
  await using terminal = setup(directory, ['--skip-check'], {});
  for (const [question, answer] of STEPS.slice(0, at)) await terminal.answer(question, answer);
  await terminal.until(STEPS[at]?.[0] ?? '');
  terminal.type(keys);
  expect(await terminal.ended).toBe(130);
  expect(readdirSync(directory)).toEqual([]);
  // The cursor is left visible.
  expect(terminal.raw.lastIndexOf('\u001B[?25h')).toBeGreaterThanOrEqual(
    terminal.raw.lastIndexOf('\u001B[?25l'),
  );
});
