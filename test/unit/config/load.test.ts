import { describe, expect, test } from 'vitest';
import { gpuSettings } from '../../../src/config/gpu-settings.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { DEFAULT_FILE, load, loadError } from '../../support/config/load.ts';

describe('a value', () => {
  test('is the default if it is not set', async () => {
    const { config, sources, warnings } = await load();
    expect(config).toMatchObject({
      brokerUrl: 'https://sharedcloud.io',
      askPrice: undefined,
      slotsPerGpu: 1,
      cpuSlots: 0,
      pollInterval: 5000,
      jobTimeout: 1_800_000,
      images: ['sharedcloud/*'],
      jobDisk: 20_000_000_000,
      keepHistory: 30 * 86_400_000,
      dockerHost: 'unix:///var/run/docker.sock',
      gpus: [],
    });
    expect(sources.slotsPerGpu).toEqual({ kind: 'default', name: 'default' });
    expect(sources.askPrice.kind).toBe('unset');
    expect(warnings).toEqual([]);
  });

  test('comes from a flag before the environment before the file', async () => {
    const files = { [DEFAULT_FILE]: 'ask-price = 1\nslots-per-gpu = 2\ncpu-slots = 3' };
    const env = { SHAREDCLOUD_ASK_PRICE: '4', SHAREDCLOUD_SLOTS_PER_GPU: '5' };
    const { config, sources } = await load({ files, env, flags: { askPrice: ['6'] } });
    expect([config.askPrice, config.slotsPerGpu, config.cpuSlots]).toEqual([6, 5, 3]);
    expect(sources.askPrice).toEqual({ kind: 'flag', name: '--ask-price' });
    expect(sources.slotsPerGpu).toEqual({ kind: 'env', name: 'SHAREDCLOUD_SLOTS_PER_GPU' });
    expect(sources.cpuSlots).toEqual({ kind: 'file', name: DEFAULT_FILE });
  });

  test('is not set by an empty variable', async () => {
    const { sources } = await load({ env: { DOCKER_HOST: '', SHAREDCLOUD_LOG_LEVEL: ' ' } });
    expect([sources.dockerHost.kind, sources.logLevel.kind]).toEqual(['default', 'default']);
  });

  test('comes from the file that a flag or variable names', async () => {
    const files = { '/a.toml': 'cpu-slots = 1', '/b.toml': 'cpu-slots = 2' };
    const env = { SHAREDCLOUD_CONFIG: '/a.toml' };
    expect((await load({ files, env })).config.cpuSlots).toBe(1);
    expect((await load({ files, env, flags: { configFile: ['/b.toml'] } })).config.cpuSlots).toBe(2);
  });

  test('may be a list or a number in the file', async () => {
    const files = { [DEFAULT_FILE]: 'images = ["a/*", "b:1"]\nask-price = 1e-3\njob-cpus = 1.5' };
    const { config } = await load({ files });
    expect(config).toMatchObject({ images: ['a/*', 'b:1'], askPrice: 0.001, jobCpus: 1.5 });
  });

  test('of an unknown variable is a warning with the nearest name', async () => {
    const { warnings } = await load({ env: { SHAREDCLOUD_ASKPRICE: '1', OTHER: 'x' } });
    expect(warnings).toEqual([expect.stringMatching(/SHAREDCLOUD_ASKPRICE .*SHAREDCLOUD_ASK_PRICE/)]);
  });

  test('with a warning names the option and its source', async () => {
    const { warnings } = await load({ env: { SHAREDCLOUD_BROKER_URL: 'http://broker.example' } });
    expect(warnings).toEqual([expect.stringMatching(/^broker-url from SHAREDCLOUD_BROKER_URL: /)]);
  });
});

describe('GPU tables', () => {
  const table = (model: string) => `[gpu."${model}"]\nask-price = 0.05\ncatalogue = "gtx1080ti"\nslots = 2\n`;

  test('have the settings of a model', async () => {
    const { config } = await load({ files: { [DEFAULT_FILE]: table('NVIDIA GeForce GTX 1080 Ti') } });
    const settings = {
      model: 'NVIDIA GeForce GTX 1080 Ti',
      askPrice: 0.05,
      catalogue: 'gtx1080ti',
      slots: 2,
    };
    expect(config.gpus).toEqual([settings]);
    expect(gpuSettings(config.gpus, 'nvidia  geforce gtx 1080 ti')).toEqual(settings);
    expect(gpuSettings(config.gpus, 'NVIDIA GeForce GTX 1080')).toBeUndefined();
  });

  test.each([
    ['[gpu.T4]\nask-prize = 1', /"ask-prize" .*ask-price/],
    ['[gpu.""]\nask-price = 1', /^gpu."" in /],
    ['[gpu.T4]\nask-price = 0', /^ask-price in gpu."T4" in /],
    ['[gpu.T4]\nslots = []', /^slots in gpu."T4" in /],
    ['[gpu.T4]\nslots = true', /^slots in gpu."T4" in /],
    ['gpu = 1', /^gpu in /],
    ['gpu.T4 = 1', /^gpu in /],
    [table('T4') + table('t4'), /^gpu."t4" in /],
  ])('are CONFIG_INVALID for %j', async (text, place) => {
    expect((await loadError({ files: { [DEFAULT_FILE]: text } })).message).toMatch(place);
  });

  test('with an ask are enough for GPUs, but not for CPU jobs', async () => {
    const files = { [DEFAULT_FILE]: table('T4') };
    expect((await load({ files, needsAsk: true })).config.askPrice).toBeUndefined();
    const error = await loadError({ files, needsAsk: true, flags: { cpuSlots: ['1'] } });
    expect(error.message).toMatch(/^--ask-price: .*cpu-slots/);
  });
});

describe('CONFIG_INVALID', () => {
  test('names a missing ask if it is needed', async () => {
    const error = await loadError({ needsAsk: true });
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exit: 2 });
    expect(error.message).toMatch(/^--ask-price: [^\n]+$/);
    expect(error.hint).toContain('SHAREDCLOUD_ASK_PRICE');
  });

  test.each([
    ['that is not text', 'ask-price = true'],
    ['that is invalid', 'ask-price = 0'],
    ['before a syntax error', 'ask-price = 0.05\nimages = sharedcloud'],
    ['for a model that is invalid', '[gpu.T4]\nask-price = "much"'],
  ])('has one problem for an ask %s', async (_, text) => {
    const error = await loadError({ needsAsk: true, files: { [DEFAULT_FILE]: text } });
    expect(error.message.split('\n')).toHaveLength(1);
  });

  test('does not call an ask missing if the file cannot be read', async () => {
    const readFile = () => Promise.reject(new Error('permission denied'));
    const loading = loadConfig({ flags: {}, env: {}, readFile }, { ask: true });
    await expect(loading).rejects.toThrow(/permission denied$/);
  });

  test('has one line for one problem', async () => {
    const error = await loadError({ env: { SHAREDCLOUD_ASK_PRICE: 'abc' } });
    expect(error.message).toMatch(/^ask-price from SHAREDCLOUD_ASK_PRICE: "abc" [^\n]+$/);
    expect(error.hint).toContain('0.05');
  });

  test('lists all problems with their source and hint', async () => {
    const error = await loadError({
      flags: { askPrice: ['0'] },
      env: { SHAREDCLOUD_POLL_INTERVAL: '5' },
      files: { [DEFAULT_FILE]: 'cpu-slots = -1\nslot-per-gpu = 2' },
    });
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(/^4 settings/),
      expect.stringMatching(/^ {2}\/etc\/.*: .*"slot-per-gpu" .*slots-per-gpu/),
      expect.stringMatching(/^ {4}\S/),
      expect.stringMatching(/^ {2}poll-interval from SHAREDCLOUD_POLL_INTERVAL: "5" /),
      expect.stringMatching(/^ {4}.*5s/),
      expect.stringMatching(/^ {2}--ask-price: "0" /),
      expect.stringMatching(/^ {4}.*0\.05/),
      expect.stringMatching(/^ {2}cpu-slots in \/etc\/.*: "-1" /),
      expect.stringMatching(/^ {4}.*1024/),
    ]);
  });

  test('lists a misspelled variable beside the problem that it may cause', async () => {
    const error = await loadError({ needsAsk: true, env: { SHAREDCLOUD_ASKPRICE: '1' } });
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(/^1 setting /),
      expect.stringMatching(/^ {2}--ask-price: /),
      expect.stringContaining('SHAREDCLOUD_ASK_PRICE'),
      expect.stringContaining('SHAREDCLOUD_ASKPRICE'),
    ]);
  });

  test('names a file that does not exist', async () => {
    const error = await loadError({ flags: { configFile: ['/no/such.toml'] } });
    expect(error.message).toMatch(/^--config: .*\/no\/such\.toml/);
  });

  test('names the line and column of a TOML error', async () => {
    const error = await loadError({ files: { [DEFAULT_FILE]: 'cpu-slots = 1\nask price = 2\n' } });
    expect(error.message).toMatch(/config\.toml: line 2, column \d+ /);
    expect(error.message).not.toContain('\n');
  });

  test.each([
    'token = "abc"',
    'token-file = true',
    'config = "/x"',
    '"__proto__" = 1',
    'ask-price = 1979-05-27',
    '[images]\na = 1',
  ])('is thrown for %s in the file', async (text) => {
    expect((await loadError({ files: { [DEFAULT_FILE]: text } })).code).toBe('CONFIG_INVALID');
  });

  test('does not repeat a token in the file', async () => {
    const error = await loadError({ files: { [DEFAULT_FILE]: 'token = "hunter2hunter2"' } });
    expect(error.message + error.hint).not.toContain('hunter2');
    expect(error.hint).toContain('0600');
  });

  test('has the reason why a file cannot be read', async () => {
    const readFile = () => Promise.reject(new Error('EACCES: permission denied'));
    const loading = loadConfig({ flags: {}, env: {}, readFile }, { ask: false });
    await expect(loading).rejects.toThrow(/EACCES: permission denied/);
  });
});

describe('a proxy in ALL_PROXY', () => {
  const socks = 'socks5://user:secret@127.0.0.1:1080';

  test.each(['ALL_PROXY', 'all_proxy'])('is named as not used, without its password: %s', async (name) => {
    const { warnings } = await load({ env: { [name]: socks }, ownWarnings: true });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('socks5://127.0.0.1:1080');
    expect(warnings[0]).not.toContain('secret');
  });

  test('is passed over where another proxy is set, and by commands that do not call the broker', async () => {
    const env = { ALL_PROXY: socks };
    expect((await load({ env })).warnings).toEqual([]);
    const both = { ...env, HTTPS_PROXY: 'http://127.0.0.1:3128' };
    expect((await load({ env: both, ownWarnings: true })).warnings).toEqual([]);
  });
});
