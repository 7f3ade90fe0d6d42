import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { describe, describeTables } from '../../../src/config/describe.ts';
import { GPU_KEYS } from '../../../src/config/gpu-settings.ts';
import { OPTION_KEYS, optionOf } from '../../../src/config/options.ts';
import { optionsTable } from '../../../src/config/options-markdown.ts';
import { DEFAULT_FILE, load } from '../../support/config/load.ts';

const TOKEN = 'f1e2d3c4b5a69788';

test('shows every value with its source, and masks the token', async () => {
  const loaded = await load({
    env: { SHAREDCLOUD_TOKEN: TOKEN },
    files: { [DEFAULT_FILE]: 'job-memory = "4 GiB"\n[gpu.T4]\nask-price = 0.1\nslots = 2' },
  });
  const table = describe(loaded);
  expect(table).toContainEqual({
    option: 'token',
    value: '[redacted]',
    source: { kind: 'env', name: 'SHAREDCLOUD_TOKEN' },
  });
  expect(table).toContainEqual({
    option: 'job-memory',
    value: '4 GiB',
    source: { kind: 'file', name: DEFAULT_FILE },
  });
  expect(table).toContainEqual({
    option: 'gpu."T4"',
    value: 'ask-price 0.1, slots 2',
    source: { kind: 'file', name: DEFAULT_FILE },
  });
  expect(table.map(({ option }) => option)).toEqual([
    ...OPTION_KEYS.map((key) => optionOf(key).name),
    'gpu."T4"',
  ]);
  expect(table.every(({ value }) => value !== '')).toBe(true);
  expect(table.filter(({ value }) => value.includes('`'))).toEqual([]);
});

test('a table of a GPU shows each of its keys as it is written', async () => {
  const written = [
    'ask-price = 0.1',
    'ask-min = 0.05',
    'ask-max = 0.2',
    'slots = 2',
    'catalogue = "t4"',
    'when-active = "pause"',
    'when-gaming = "ignore"',
    'max-gpu-temperature = 80',
  ];
  expect(written.map((line) => line.split(' ', 1)[0])).toEqual(expect.arrayContaining(Object.keys(GPU_KEYS)));
  const { config } = await load({ files: { [DEFAULT_FILE]: `[gpu.T4]\n${written.join('\n')}` } });
  const shown = written.map((line) => line.replace(' = ', ' ').replaceAll('"', ''));
  expect(describeTables(config).map(({ value }) => value)).toEqual([shown.join(', ')]);
});

test('a GPU without a highest temperature says so', async () => {
  const { config } = await load({ files: { [DEFAULT_FILE]: '[gpu.T4]\nmax-gpu-temperature = "none"' } });
  expect(describeTables(config).map(({ value }) => value)).toEqual(['max-gpu-temperature none']);
});

test('the configuration is printed without the token in any way', async () => {
  const loaded = await load({ env: { SHAREDCLOUD_TOKEN: TOKEN } });
  const printed = [
    JSON.stringify(loaded),
    inspect(loaded, { depth: 9, showHidden: true }),
    String(loaded.config.token),
  ];
  for (const text of printed) {
    expect(text).not.toContain(TOKEN);
    expect(text).toContain('[redacted]');
  }
  expect(loaded.config.token?.reveal()).toBe(TOKEN);
});

test('every default is shown so that it parses to the same value', async () => {
  const { config } = await load();
  const withDefault = OPTION_KEYS.filter((key) => optionOf(key).default !== undefined);
  const readAgain = withDefault.map((key) => optionOf(key).type.read([optionOf(key).type.show(config[key])]));
  expect(readAgain).toEqual(withDefault.map((key) => config[key]));
});

test('option names are well formed and unique', () => {
  const options = OPTION_KEYS.map(optionOf);
  for (const { name } of options) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(new Set(options.map(({ name }) => name)).size).toBe(options.length);
  expect(new Set(options.map(({ env }) => env)).size).toBe(options.length);
});

test('the options table has a row per option with escaped cells', () => {
  const lines = optionsTable().split('\n');
  expect(lines).toHaveLength(OPTION_KEYS.length + 2);
  for (const line of lines) expect(line.split(/(?<!\\)\|/)).toHaveLength(6);
  const start = '| `--poll-interval DURATION` | `SHAREDCLOUD_POLL_INTERVAL` | `5s` | ';
  expect(lines.filter((line) => line.startsWith(start))).toHaveLength(1);
});
