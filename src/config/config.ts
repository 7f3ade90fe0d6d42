import type { AvailabilityRule } from '../domain/schedule/availability.ts';
import type { GpuSettings } from './gpu-settings.ts';
import { OPTION_KEYS, type OPTIONS, type OptionKey } from './options.ts';
import type { ValueType } from './value-type.ts';

type ValueOf<Entry> = Entry extends { readonly type: ValueType<infer T>; readonly default: string }
  ? T
  : Entry extends { readonly type: ValueType<infer T> }
    ? T | undefined
    : never;

/** The values of all options; undefined only for an option without a default. */
export type Values = { readonly [Key in OptionKey]: ValueOf<(typeof OPTIONS)[Key]> };

/** The configuration. Durations are milliseconds, sizes bytes, prices US dollars. */
export type Config = Values & {
  /** The file's tables per GPU model. */
  readonly gpus: readonly GpuSettings[];
  /** The file's tables `[[availability]]`, in their order. */
  readonly availability: readonly AvailabilityRule[];
};

/** The source of a value; `name` is for people: `--ask-price`, `SHAREDCLOUD_ASK_PRICE`, the file's path. */
export type Source = {
  readonly kind: 'flag' | 'env' | 'file' | 'default' | 'unset';
  readonly name: string;
};

/** The configuration, the source of each value, and warnings for the owner. */
export type Loaded = {
  readonly config: Config;
  readonly sources: Readonly<Record<OptionKey, Source>>;
  readonly warnings: readonly string[];
};

/** Whether every option has a value; each was parsed by its option's type. */
export function areValues(values: Readonly<Partial<Record<OptionKey, unknown>>>): values is Values {
  return OPTION_KEYS.every((key) => Object.hasOwn(values, key));
}

/** Whether every option has a source. */
export function areSources(
  sources: Readonly<Partial<Record<OptionKey, Source>>>,
): sources is Readonly<Record<OptionKey, Source>> {
  return OPTION_KEYS.every((key) => sources[key] !== undefined);
}
