import { expect, test } from 'vitest';
import { maxTemperatureOf } from '../../../src/config/gpu-settings.ts';
import { load } from '../../support/config/load.ts';

const FILE = '/etc/sharedcloud-agent/config.toml';
const TEXT = `ask-price = 0.1
max-gpu-temperature = 85
[gpu."NVIDIA T4"]
max-gpu-temperature = 75
[gpu."GPU-1"]
max-gpu-temperature = "none"
[gpu."NVIDIA L4"]
slots = 2
`;

test.each([
  ['GPU-1', 'NVIDIA T4', Number.POSITIVE_INFINITY],
  ['gpu-1', 'NVIDIA L4', Number.POSITIVE_INFINITY],
  ['GPU-2', 'nvidia  t4', 75],
  ['GPU-2', 'NVIDIA L4', 85],
  ['GPU-2', 'NVIDIA A100', 85],
])('the limit of the temperature of %s, an %s, is %s °C', async (uuid, model, limitC) => {
  const { config } = await load({ files: { [FILE]: TEXT } });
  expect(maxTemperatureOf(config, { uuid, model })).toBe(limitC);
});
