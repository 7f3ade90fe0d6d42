import { describe, expect, test } from 'vitest';
import { OPTION_KEYS } from '../../../src/config/options.ts';
import { isReloaded, reloaded, restartNeeded, withPrices } from '../../../src/config/reload.ts';
import { load } from '../../support/config/load.ts';

const DEFAULT_FILE = '/etc/sharedcloud-agent/config.toml';

const loaded = (text: string) => load({ files: { [DEFAULT_FILE]: text } });

async function configured(text: string) {
  return (await loaded(text)).config;
}

const RUNNING = `ask-price = 0.1
cpu-slots = 2
[gpu."NVIDIA T4"]
ask-price = 0.3
slots = 2
max-gpu-temperature = 80
[gpu."NVIDIA A100"]
ask-price = 0.9
`;

describe('a reload', () => {
  test('changes the prices, also per model, and nothing else', async () => {
    const running = await configured(RUNNING);
    const next = await configured(`ask-price = 0.2
cpu-slots = 8
images = ["other/*"]
[gpu."nvidia  t4"]
ask-price = 0.4
slots = 7
[gpu."NVIDIA L4"]
ask-price = 0.5
slots = 3
`);
    const { askPrice, cpuSlots, gpus, images } = withPrices(running, next);
    expect({ askPrice, cpuSlots, images }).toEqual({ askPrice: 0.2, cpuSlots: 2, images: running.images });
    expect(gpus).toEqual([
      { model: 'nvidia  t4', askPrice: 0.4, catalogue: undefined, slots: 2, maxGpuTemperature: 80 },
      { model: 'NVIDIA A100', askPrice: undefined, catalogue: undefined, slots: undefined },
      { model: 'NVIDIA L4', askPrice: 0.5, catalogue: undefined, slots: undefined },
    ]);
  });

  test('puts each option that says so into effect, with its source, and no other one', async () => {
    const next = await loaded(`ask-price = 0.2
ask-strategy = "fixed"
ask-min = 0.1
ask-max = 0.3
floor-margin = 2
electricity-price = 0.3
electricity-currency = "EUR"
electricity-currency-rate = 1.1
power-calibration = "95 at 12, 480 at 330"
wear-per-hour = 0.01
broker-fee = "5%"
time-zone = "Asia/Tokyo"
listen = "127.0.0.1:9000"
listen-host = ["gpu.example"]
listen-password-file = "/etc/password"
metrics-token-file = "/etc/metrics"
token-file = "/etc/other"
[[availability]]
days = "weekend"
available = false
`);
    const running = await loaded('cpu-slots = 2\n');
    const { config, sources } = reloaded(running, next);
    for (const key of OPTION_KEYS) {
      const from = isReloaded(key) ? next : running;
      expect([key, config[key], sources[key]]).toEqual([key, from.config[key], from.sources[key]]);
      if (isReloaded(key)) expect([key, sources[key].kind]).toEqual([key, 'file']);
    }
    expect(config.availability).toEqual(next.config.availability);
    expect(restartNeeded(running.config, next.config)).toEqual(['token-file', 'cpu-slots', 'listen']);
  });

  test('names the settings that need a restart', async () => {
    const running = await configured(RUNNING);
    const changed = RUNNING.replace('cpu-slots = 2', 'cpu-slots = 3\nlog-level = "debug"')
      .replace('ask-price = 0.1', 'ask-price = 0.2')
      .replace('\nslots = 2', '\nslots = 4');
    expect(restartNeeded(running, await configured(changed))).toEqual([
      'cpu-slots',
      'log-level',
      'gpu."NVIDIA T4"',
    ]);
  });

  test('names a model whose temperature limit has changed', async () => {
    const running = await configured(RUNNING);
    const next = await configured(
      RUNNING.replace('max-gpu-temperature = 80', 'max-gpu-temperature = "none"'),
    );
    expect(restartNeeded(running, next)).toEqual(['gpu."NVIDIA T4"']);
    expect(withPrices(running, next).gpus[0]?.maxGpuTemperature).toBe(80);
  });

  test('names the proxy, also if only its password has changed', async () => {
    const proxied = (password: string) =>
      configured(`https-proxy = "http://me:${password}@proxy.example:3128"\n${RUNNING}`);
    expect(restartNeeded(await proxied('old'), await proxied('new'))).toEqual(['https-proxy']);
  });

  test('needs no restart for new prices or an unchanged file', async () => {
    const running = await configured(RUNNING);
    expect(restartNeeded(running, running)).toEqual([]);
    expect(restartNeeded(running, await configured(RUNNING.replaceAll('0.', '0.2')))).toEqual([]);
  });
});
