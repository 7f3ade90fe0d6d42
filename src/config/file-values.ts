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

/** The problem of a key that is unknown at the top of the file, or with its `table` in that. */
export function unknownKey(where: string, key: string, known: readonly string[], table?: string): Problem {
  const hint =
    key === 'token'
      ? 'put the token into a file of its own with mode 0600, and name that file with token-file'
      : `correct or remove it; ${table === undefined ? '--help lists the options' : `${table} has the keys ${known.join(', ')}`}`;
  return { where, what: `has the unknown key ${quoted(key)}${didYouMean(key, known)}`, hint };
}
