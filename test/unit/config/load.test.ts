import { describe, expect, test } from 'vitest';
import { gpuSettings } from '../../../src/config/gpu-settings.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { DEFAULT_FILE, load, loadError } from '../../support/config/load.ts';

describe('where a value comes from', () => {
  test('defaults, where nothing is set', async () => {
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

  test('flags over environment over file', async () => {
    const files = { [DEFAULT_FILE]: 'ask-price = 1\nslots-per-gpu = 2\ncpu-slots = 3' };
    const env = { SHAREDCLOUD_ASK_PRICE: '4', SHAREDCLOUD_SLOTS_PER_GPU: '5' };
    const { config, sources } = await load({ files, env, flags: { askPrice: ['6'] } });
    expect([config.askPrice, config.slotsPerGpu, config.cpuSlots]).toEqual([6, 5, 3]);
    expect(sources.askPrice).toEqual({ kind: 'flag', name: '--ask-price' });
    expect(sources.slotsPerGpu).toEqual({ kind: 'env', name: 'SHAREDCLOUD_SLOTS_PER_GPU' });
    expect(sources.cpuSlots).toEqual({ kind: 'file', name: DEFAULT_FILE });
  });

  test('an empty variable counts as not set', async () => {
    const { sources } = await load({ env: { DOCKER_HOST: '', SHAREDCLOUD_LOG_LEVEL: ' ' } });
    expect([sources.dockerHost.kind, sources.logLevel.kind]).toEqual(['default', 'default']);
  });

  test('the file may be named by flag or environment', async () => {
    const files = { '/a.toml': 'cpu-slots = 1', '/b.toml': 'cpu-slots = 2' };
    const env = { SHAREDCLOUD_CONFIG: '/a.toml' };
    expect((await load({ files, env })).config.cpuSlots).toBe(1);
    expect((await load({ files, env, flags: { configFile: ['/b.toml'] } })).config.cpuSlots).toBe(2);
  });

  test('lists and numbers are taken from the file as they are', async () => {
    const files = { [DEFAULT_FILE]: 'images = ["a/*", "b:1"]\nask-price = 1e-3\njob-cpus = 1.5' };
    const { config } = await load({ files });
    expect(config).toMatchObject({ images: ['a/*', 'b:1'], askPrice: 0.001, jobCpus: 1.5 });
  });

  test('a variable that nobody knows is a warning with the nearest name', async () => {
    const { warnings } = await load({ env: { SHAREDCLOUD_ASKPRICE: '1', OTHER: 'x' } });
    expect(warnings).toEqual([
      'the environment variable SHAREDCLOUD_ASKPRICE is unknown (did you mean SHAREDCLOUD_ASK_PRICE?)',
    ]);
  });

  test('a warning of a value names the option and where it is set', async () => {
    const { warnings } = await load({ env: { SHAREDCLOUD_BROKER_URL: 'http://broker.example' } });
    expect(warnings).toEqual([
      expect.stringMatching(/^broker-url from SHAREDCLOUD_BROKER_URL: .*plain http/),
    ]);
  });
});

describe('GPU tables', () => {
  const table = (model: string) => `[gpu."${model}"]\nask-price = 0.05\ncatalogue = "gtx1080ti"\nslots = 2\n`;

  test('settings of one model', async () => {
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
    ['[gpu.T4]\nask-prize = 1', /unknown key "ask-prize" \(did you mean ask-price\?\)/],
    ['[gpu.""]\nask-price = 1', /gpu."" in .*names no GPU model/],
    ['[gpu.T4]\nask-price = 0', /ask-price in gpu."T4" in .*for nothing/],
    ['[gpu.T4]\nslots = []', /slots in gpu."T4" in .*takes one value/],
    ['[gpu.T4]\nslots = true', /slots in gpu."T4" in .*neither text nor a number/],
    ['gpu = 1', /is not a table per GPU model/],
    ['gpu.T4 = 1', /is not a table per GPU model/],
    [table('T4') + table('t4'), /names the same model as another table/],
  ])('%j is refused', async (text, why) => {
    expect((await loadError({ files: { [DEFAULT_FILE]: text } })).message).toMatch(why);
  });

  test('an own ask for GPUs is enough, but not for CPU jobs', async () => {
    const files = { [DEFAULT_FILE]: table('T4') };
    expect((await load({ files, needsAsk: true })).config.askPrice).toBeUndefined();
    const error = await loadError({ files, needsAsk: true, flags: { cpuSlots: ['1'] } });
    expect(error.message).toMatch(/^--ask-price: the CPU jobs/);
  });
});

describe('what is wrong', () => {
  test('a missing ask, only where it is needed', async () => {
    const error = await loadError({ needsAsk: true });
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exit: 2 });
    expect(error.message).toBe('--ask-price: nothing says what a job must pay');
    expect(error.hint).toContain('SHAREDCLOUD_ASK_PRICE');
  });

  test.each([
    ['that is no text', 'ask-price = true'],
    ['that is refused', 'ask-price = 0'],
    ['behind a slip of syntax', 'ask-price = 0.05\nimages = sharedcloud'],
    ['for a model, that is refused', '[gpu.T4]\nask-price = "much"'],
  ])('an ask %s is not called missing too', async (_, text) => {
    const error = await loadError({ needsAsk: true, files: { [DEFAULT_FILE]: text } });
    expect(error.message).not.toContain('nothing says what a job must pay');
    expect(error.message.split('\n')).toHaveLength(1);
  });

  test('an ask in a file that cannot be read is not called missing', async () => {
    const readFile = () => Promise.reject(new Error('permission denied'));
    const loading = loadConfig({ flags: {}, env: {}, readFile }, { ask: true });
    await expect(loading).rejects.toThrow(/cannot be read: permission denied$/);
  });

  test('one problem is said in one line', async () => {
    const error = await loadError({ env: { SHAREDCLOUD_ASK_PRICE: 'abc' } });
    expect(error.message).toBe('ask-price from SHAREDCLOUD_ASK_PRICE: "abc" is not a number');
    expect(error.hint).toContain('US dollars per job and minute');
  });

  test('all problems are listed at once, each with its source and hint', async () => {
    const error = await loadError({
      flags: { askPrice: ['0'] },
      env: { SHAREDCLOUD_POLL_INTERVAL: '5' },
      files: { [DEFAULT_FILE]: 'cpu-slots = -1\nslot-per-gpu = 2' },
    });
    expect(error.message.split('\n')).toEqual([
      '4 settings cannot be used:',
      `  ${DEFAULT_FILE}: has the unknown key "slot-per-gpu" (did you mean slots-per-gpu?)`,
      '    correct or remove it; --help lists the options',
      '  poll-interval from SHAREDCLOUD_POLL_INTERVAL: "5" has no unit',
      expect.stringContaining('such as 5s'),
      '  --ask-price: "0" would give the GPU away for nothing',
      expect.stringContaining('such as 0.05'),
      `  cpu-slots in ${DEFAULT_FILE}: "-1" is less than 0`,
      expect.stringContaining('from 0 to 1024'),
    ]);
  });

  test('a slip in the name of a variable is said beside what came of it', async () => {
    const error = await loadError({ needsAsk: true, env: { SHAREDCLOUD_ASKPRICE: '1' } });
    expect(error.message.split('\n')).toEqual([
      '1 setting cannot be used:',
      '  --ask-price: nothing says what a job must pay',
      expect.stringContaining('SHAREDCLOUD_ASK_PRICE'),
      '  also: the environment variable SHAREDCLOUD_ASKPRICE is unknown (did you mean SHAREDCLOUD_ASK_PRICE?)',
    ]);
  });

  test('a named file that is absent', async () => {
    const error = await loadError({ flags: { configFile: ['/no/such.toml'] } });
    expect(error.message).toBe('--config: there is no file /no/such.toml');
  });

  test('text that is not TOML, with its place', async () => {
    const error = await loadError({ files: { [DEFAULT_FILE]: 'cpu-slots = 1\nask price = 2\n' } });
    expect(error.message).toMatch(/config\.toml: line 2, column \d+ is not TOML: /);
    expect(error.message).not.toContain('\n');
  });

  test.each([
    'token = "abc"',
    'token-file = true',
    'config = "/x"',
    '"__proto__" = 1',
    'ask-price = 1979-05-27',
    '[images]\na = 1',
  ])('%s is refused in the file', async (text) => {
    expect((await loadError({ files: { [DEFAULT_FILE]: text } })).code).toBe('CONFIG_INVALID');
  });

  test('a token in the file is not repeated, and it is said where it belongs', async () => {
    const error = await loadError({ files: { [DEFAULT_FILE]: 'token = "hunter2hunter2"' } });
    expect(error.message + error.hint).not.toContain('hunter2');
    expect(error.hint).toContain('0600');
  });

  test('a file that cannot be read is said, not passed over', async () => {
    const readFile = () => Promise.reject(new Error('EACCES: permission denied'));
    const loading = loadConfig({ flags: {}, env: {}, readFile }, { ask: false });
    await expect(loading).rejects.toThrow(/cannot be read: EACCES: permission denied/);
  });
});
