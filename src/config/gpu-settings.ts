import { count, price } from './number-types.ts';
import { single, type ValueType } from './value-type.ts';

/** What the file's table `[gpu."MODEL"]` sets for the GPUs of one model; undefined: as the general options say. */
export type GpuSettings = {
  /** As nvidia-smi says it, such as `NVIDIA GeForce GTX 1080 Ti`. */
  readonly model: string;
  /** US dollars per job and minute. */
  readonly askPrice: number | undefined;
  /** The codename, name or uuid of the broker's catalogue entry, where it cannot be told from the model. */
  readonly catalogue: string | undefined;
  /** Jobs per GPU. */
  readonly slots: number | undefined;
};

const catalogueEntry: ValueType<string> = single({ metavar: 'ENTRY', parse: (text) => text });

/** The keys of a GPU's table, each with what reads its value. */
export const GPU_KEYS = {
  'ask-price': price,
  catalogue: catalogueEntry,
  slots: count(1, 64),
} as const;

/** The settings for a GPU model; upper and lower case and the number of blanks make no difference. */
export function gpuSettings(all: readonly GpuSettings[], model: string): GpuSettings | undefined {
  return all.find((one) => plainModel(one.model) === plainModel(model));
}

/** A model's name as it is compared. */
export function plainModel(model: string): string {
  return model.trim().replace(/\s+/g, ' ').toLowerCase();
}
