import type { Gpu } from '../domain/gpu.ts';
import { PRESENCE_ACTIONS, type PresenceAction, type PresencePolicy } from '../domain/presence.ts';
import { count, price } from './number-types.ts';
import { maxTemperature } from './temperature.ts';
import { choice } from './text-types.ts';
import { single, type ValueType } from './value-type.ts';

/** The file's table `[gpu."MODEL"]` for the GPUs of a model, or `[gpu."UUID"]` for one; undefined: the general options apply. */
export type GpuSettings = {
  /** The name in nvidia-smi, such as `NVIDIA GeForce GTX 1080 Ti`, or the uuid of a GPU. */
  readonly model: string;
  /** US dollars per job and minute. */
  readonly askPrice: number | undefined;
  /** The limits of what a strategy asks, in US dollars per job and minute. */
  readonly askMin?: number | undefined;
  readonly askMax?: number | undefined;
  /** The codename, name or uuid of the catalogue entry, if the model's name does not identify it. */
  readonly catalogue: string | undefined;
  /** Jobs per GPU. */
  readonly slots: number | undefined;
  readonly whenActive?: PresenceAction | undefined;
  readonly whenGaming?: PresenceAction | undefined;
  /** In degrees Celsius; Infinity: none. */
  readonly maxGpuTemperature?: number | undefined;
};

const catalogueEntry: ValueType<string> = single({ metavar: 'ENTRY', parse: (text) => text });

/** The general options, and the tables. */
export type GeneralPolicy = PresencePolicy & { readonly gpus: readonly GpuSettings[] };

/** The keys of a GPU's table with their types. */
export const GPU_KEYS = {
  'ask-price': price,
  'ask-min': price,
  'ask-max': price,
  catalogue: catalogueEntry,
  slots: count(1, 64),
  'when-active': choice(...PRESENCE_ACTIONS),
  'when-gaming': choice(...PRESENCE_ACTIONS),
  'max-gpu-temperature': maxTemperature,
} as const;

/** The keys that may differ between GPUs of one model; the others make offers, which are for all GPUs of a model. */
export const KEYS_OF_ONE_GPU: readonly string[] = ['when-active', 'when-gaming', 'max-gpu-temperature'];

/** Whether a table is for one GPU. */
export function isUuid(name: string): boolean {
  return /^GPU-[\w-]+$/i.test(name.trim());
}

/** The settings for a GPU model; case and repeated blanks do not matter. */
export function gpuSettings(all: readonly GpuSettings[], model: string): GpuSettings | undefined {
  return all.find((one) => plainModel(one.model) === plainModel(model));
}

/** What the owner wants for a GPU when they are here: its own table counts, then its model's, then the general options. */
export function presencePolicy(
  { gpus, whenActive, whenGaming }: GeneralPolicy,
  { displayActive, model, uuid }: Pick<Gpu, 'uuid' | 'model' | 'displayActive'>,
): PresencePolicy {
  const [one, all] = [gpuSettings(gpus, uuid), gpuSettings(gpus, model)];
  // Without a display nobody sees that it is slow.
  const hasDisplay = displayActive === true;
  return {
    whenActive: one?.whenActive ?? all?.whenActive ?? (hasDisplay ? whenActive : 'ignore'),
    whenGaming: one?.whenGaming ?? all?.whenGaming ?? (hasDisplay ? whenGaming : 'ignore'),
  };
}

/** The temperature from which a GPU gets no new jobs, in degrees Celsius: of its own table, else of its model's, else of all. */
export function maxTemperatureOf(
  config: { readonly gpus: readonly GpuSettings[]; readonly maxGpuTemperature: number },
  { model, uuid }: Pick<Gpu, 'uuid' | 'model'>,
): number {
  const [one, all] = [gpuSettings(config.gpus, uuid), gpuSettings(config.gpus, model)];
  return one?.maxGpuTemperature ?? all?.maxGpuTemperature ?? config.maxGpuTemperature;
}

/** A model's name for comparisons. */
export function plainModel(model: string): string {
  return model.trim().replace(/\s+/g, ' ').toLowerCase();
}
