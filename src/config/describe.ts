import { ruleText } from '../domain/schedule/availability.ts';
import type { Config, Loaded, Source } from './config.ts';
import { GPU_KEYS, type GpuSettings } from './gpu-settings.ts';
import { OPTION_KEYS, optionOf } from './options.ts';

/** One line of the table that `check` prints. */
export type Described = { readonly option: string; readonly value: string; readonly source: Source };

/** Every option with its value and source, and the file's tables. Secrets are masked. */
export function describe({ config, sources }: Loaded): readonly Described[] {
  const options = OPTION_KEYS.map((key) => {
    const option = optionOf(key);
    const value: unknown = config[key];
    const unset = (option.unset ?? '').replaceAll('`', '');
    const text = value === undefined ? '' : option.secret ? '[redacted]' : option.type.show(value);
    return { option: option.name, value: text === '' ? unset : text, source: sources[key] };
  });
  const source: Source = { kind: 'file', name: config.configFile };
  return [...options, ...describeTables(config).map(({ option, value }) => ({ option, value, source }))];
}

/** The tables of the file. */
export function describeTables({ availability, gpus }: Pick<Config, 'availability' | 'gpus'>) {
  return [
    ...gpus.map((gpu) => ({
      option: `gpu."${gpu.model}"`,
      value: settingsText(gpu),
      group: 'Offer',
      reloads: false,
      help: 'the settings of one model of GPU; a reload applies its ask price, all else needs a restart',
    })),
    ...availability.map((rule) => ({
      option: `[[availability]] ${rule.number}`,
      value: ruleText(rule),
      group: 'Owner',
      reloads: true,
      help: 'a rule of the schedule; of several that apply the later one counts',
    })),
  ];
}

function settingsText(gpu: GpuSettings): string {
  const { maxGpuTemperature: max } = gpu;
  const settings: Readonly<Record<keyof typeof GPU_KEYS, string | number | undefined>> = {
    'ask-price': gpu.askPrice,
    'ask-min': gpu.askMin,
    'ask-max': gpu.askMax,
    slots: gpu.slots,
    catalogue: gpu.catalogue,
    'when-active': gpu.whenActive,
    'when-gaming': gpu.whenGaming,
    'max-gpu-temperature': max === undefined ? undefined : GPU_KEYS['max-gpu-temperature'].show(max),
  };
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
