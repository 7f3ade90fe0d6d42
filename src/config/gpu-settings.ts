import { count, price } from './number-types.ts';
import { single, type ValueType } from './value-type.ts';

/** The file's table `[gpu."MODEL"]` for the GPUs of a model; undefined: the general options apply. */
export type GpuSettings = {
  /** The name in nvidia-smi, such as `NVIDIA GeForce GTX 1080 Ti`. */
  readonly model: string;
  /** US dollars per job and minute. */
  readonly askPrice: number | undefined;
  /** The codename, name or uuid of the catalogue entry, if the model's name does not identify it. */
  readonly catalogue: string | undefined;
  /** Jobs per GPU. */
  readonly slots: number | undefined;
};

const catalogueEntry: ValueType<string> = single({ metavar: 'ENTRY', parse: (text) => text });

/** The keys of a GPU's table with their types. */
export const GPU_KEYS = {
  'ask-price': price,
  catalogue: catalogueEntry,
  slots: count(1, 64),
} as const;

/** The settings for a GPU model; case and repeated blanks do not matter. */
export function gpuSettings(all: readonly GpuSettings[], model: string): GpuSettings | undefined {
  return all.find((one) => plainModel(one.model) === plainModel(model));
}

/** A model's name for comparisons. */
export function plainModel(model: string): string {
  return model.trim().replace(/\s+/g, ' ').toLowerCase();
}
