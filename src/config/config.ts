import type { GpuSettings } from './gpu-settings.ts';
import { OPTION_KEYS, type OPTIONS, type OptionKey } from './options.ts';
import type { ValueType } from './value-type.ts';

type ValueOf<Entry> = Entry extends { readonly type: ValueType<infer T>; readonly default: string }
  ? T
  : Entry extends { readonly type: ValueType<infer T> }
    ? T | undefined
    : never;

/** The value of every option; undefined only where an option has no default. */
export type Values = { readonly [Key in OptionKey]: ValueOf<(typeof OPTIONS)[Key]> };

/** All that the owner has set, or left to its default. Durations are milliseconds, sizes bytes, prices dollars. */
export type Config = Values & {
  /** The file's tables per GPU model. */
  readonly gpus: readonly GpuSettings[];
};

/** Where a value comes from; `name` says it to people: `--ask-price`, `SHAREDCLOUD_ASK_PRICE`, the file's path. */
export type Source = {
  readonly kind: 'flag' | 'env' | 'file' | 'default' | 'unset';
  readonly name: string;
};

/** The configuration, where each value comes from, and what the owner should know about it. */
export type Loaded = {
  readonly config: Config;
  readonly sources: Readonly<Record<OptionKey, Source>>;
  readonly warnings: readonly string[];
};

/** Whether every option has been read; each value is of its option's type because that type read it. */
export function areValues(values: Readonly<Partial<Record<OptionKey, unknown>>>): values is Values {
  return OPTION_KEYS.every((key) => Object.hasOwn(values, key));
}

/** Whether every option's source is known. */
export function areSources(
  sources: Readonly<Partial<Record<OptionKey, Source>>>,
): sources is Readonly<Record<OptionKey, Source>> {
  return OPTION_KEYS.every((key) => sources[key] !== undefined);
}
