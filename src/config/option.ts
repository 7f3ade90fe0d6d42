import type { ValueType } from './value-type.ts';

/** The groups of options in help and docs. */
export const GROUPS = [
  'Broker',
  'Offer',
  'Money',
  'Jobs',
  'Owner',
  'Page',
  'Notifications',
  'Host',
  'Log',
  'Configuration',
] as const;

/** An option. Its flag is `--name`, its key in the file `name`. */
export type Option<T> = {
  readonly name: string;
  readonly env: string;
  /** Whether the variable is also read in lower case, which goes first, as other programs do. */
  readonly lowerCaseEnv?: true;
  readonly type: ValueType<T>;
  /** Written as by an owner and parsed the same way; absent: none. */
  readonly default?: string;
  /** Shown in help and tables instead of an absent or empty default. */
  readonly unset?: string;
  readonly help: string;
  readonly group: (typeof GROUPS)[number];
  /** The sources that may set it; by default all three. */
  readonly only?: readonly ('flag' | 'env' | 'file')[];
  /** Never shown, not in `check` and not in messages. */
  readonly secret?: true;
};

/** Whether a source may set an option. */
export function maySet(option: Option<unknown>, kind: 'flag' | 'env' | 'file'): boolean {
  return option.only?.includes(kind) ?? true;
}
