import type { Config, Loaded } from './config.ts';
import { gpuSettings, plainModel } from './gpu-settings.ts';
import { OPTION_KEYS, type OptionKey, optionOf } from './options.ts';

/** The options that a reload changes; all others need a restart, though the same token file is reread. */
const RELOADED: ReadonlySet<OptionKey> = new Set([
  'askPrice',
  'askStrategy',
  'askMin',
  'askMax',
  'floorMargin',
  'timeZone',
  'listenHost',
  'listenPasswordFile',
  'metricsTokenFile',
  'electricityPrice',
  'electricityCurrency',
  'electricityCurrencyRate',
  'powerCalibration',
  'wearPerHour',
  'brokerFee',
]);

/** Whether a reload changes an option. */
export function isReloaded(key: OptionKey): boolean {
  return RELOADED.has(key);
}

/** The settings of a GPU that need a restart. */
const AT_START = ['slots', 'catalogue', 'whenActive', 'whenGaming', 'maxGpuTemperature'] as const;

/** The running configuration with the prices of the next one. Pure. */
export function withPrices(running: Config, next: Config): Config {
  const models = new Map([...running.gpus, ...next.gpus].map(({ model }) => [plainModel(model), model]));
  const gpus = [...models.values()].map((model) => {
    const { catalogue, maxGpuTemperature, slots, whenActive, whenGaming } =
      gpuSettings(running.gpus, model) ?? {};
    const { askMax, askMin, askPrice } = gpuSettings(next.gpus, model) ?? {};
    return { model, askPrice, askMin, askMax, catalogue, slots, whenActive, whenGaming, maxGpuTemperature };
  });
  const { askMax, askMin, askPrice, askStrategy, floorMargin } = next;
  const asks = { askPrice, askStrategy, askMin, askMax, floorMargin, gpus };
  return { ...running, ...asks, ...costsOf(next) };
}

/** What a job costs. */
function costsOf(config: Config) {
  const { brokerFee, electricityCurrency, electricityCurrencyRate, electricityPrice } = config;
  const { powerCalibration, wearPerHour } = config;
  return {
    brokerFee,
    electricityCurrency,
    electricityCurrencyRate,
    electricityPrice,
    powerCalibration,
    wearPerHour,
  };
}

/** What is in force after a reload: of the next configuration what needs no restart, with its sources. Pure. */
export function reloaded(running: Loaded, next: Loaded): Loaded {
  const { availability, listenHost, listenPasswordFile, metricsTokenFile, timeZone } = next.config;
  const taken = { availability, listenHost, listenPasswordFile, metricsTokenFile, timeZone };
  const sources = Object.fromEntries([...RELOADED].map((key) => [key, next.sources[key]]));
  return {
    ...running,
    config: { ...withPrices(running.config, next.config), ...taken },
    sources: { ...running.sources, ...sources },
  };
}

/** The changed settings that need a restart, by their names in the file. Pure. */
export function restartNeeded(running: Config, next: Config): readonly string[] {
  const options = OPTION_KEYS.filter(
    (key) => !RELOADED.has(key) && compared(running, key) !== compared(next, key),
  );
  const models = [...running.gpus, ...next.gpus].map(({ model }) => model);
  const gpus = models.filter((model) => {
    const before = gpuSettings(running.gpus, model);
    const after = gpuSettings(next.gpus, model);
    return AT_START.some((key) => before?.[key] !== after?.[key]);
  });
  const tables = new Map(gpus.map((model) => [plainModel(model), `gpu."${model}"`]));
  return [...options.map((key) => optionOf(key).name), ...tables.values()];
}

/** Not as it is shown, which leaves out the password of a proxy. */
function compared(config: Config, key: OptionKey): string {
  return JSON.stringify([config[key]]);
}
