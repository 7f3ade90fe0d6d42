import { didYouMean } from '../lib/nearest.ts';
import type { Problem } from './problem.ts';
import { BadValue, quoted } from './value-type.ts';

/** A table of a TOML file. */
export type Table = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A value of the file as the texts that would be written on a command line; undefined: it is a problem. */
export function texts(
  path: string,
  key: string,
  value: unknown,
  problems: Problem[],
): readonly string[] | undefined {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const bad = items.find((item) => typeof item !== 'string' && typeof item !== 'number');
  if (bad === undefined) return items.map(String);
  const what = 'is neither text nor a number';
  problems.push({ where: `${key} in ${path}`, what, hint: `write ${key} = "..."` });
  return undefined;
}

/** What `read` returns; undefined: it has thrown BadValue, which is a problem now. */
export function orProblem<T>(where: string, problems: Problem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof BadValue)) throw cause;
    problems.push({ where, what: cause.message, hint: cause.hint });
    return undefined;
  }
}

/** A table of the file: its name for people, its keys, and those of the top of the file. */
export type TableKeys = {
  readonly name: string;
  readonly keys: readonly string[];
  readonly topKeys: readonly string[];
};

/** The problem of a key that the top of the file does not have. */
export function unknownKey(where: string, key: string, known: readonly string[]): Problem {
  const hint = key === 'token' ? TOKEN_HINT : 'correct or remove it; --help lists the options';
  return { where, what: `has the unknown key ${quoted(key)}${didYouMean(key, known)}`, hint };
}

/** The problem of a key that a table does not have. In TOML a line belongs to the last table above it. */
export function unknownTableKey(where: string, key: string, { keys, name, topKeys }: TableKeys): Problem {
  if (topKeys.includes(key))
    return {
      where,
      what: `has the key ${quoted(key)}, which belongs to no table`,
      hint: `write ${key} above the first [table] of the file`,
    };
  const hint = key === 'token' ? TOKEN_HINT : `correct or remove it; ${name} has the keys ${keys.join(', ')}`;
  return { where, what: `has the unknown key ${quoted(key)}${didYouMean(key, keys)}`, hint };
}

const TOKEN_HINT = 'put the token into a file of its own with mode 0600, and name that file with token-file';
