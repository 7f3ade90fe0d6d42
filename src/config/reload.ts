import type { Config } from './config.ts';
import { gpuSettings, plainModel } from './gpu-settings.ts';
import { OPTION_KEYS, type OptionKey, optionOf } from './options.ts';

/** The options that a reload changes, or that are reread anyway; all others need a restart. */
const RELOADED: ReadonlySet<OptionKey> = new Set([
  'askPrice',
  'token',
  'tokenFile',
  'credentialsDirectory',
  'timeZone',
  'listenHost',
  'listenPasswordFile',
  'metricsTokenFile',
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
    const askPrice = gpuSettings(next.gpus, model)?.askPrice;
    return { model, askPrice, catalogue, slots, whenActive, whenGaming, maxGpuTemperature };
  });
  return { ...running, askPrice: next.askPrice, gpus };
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
