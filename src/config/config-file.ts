import { parse, TomlError } from 'smol-toml';
import { didYouMean } from '../lib/nearest.ts';
import { GPU_KEYS, type GpuSettings, plainModel } from './gpu-settings.ts';
import type { Problem } from './problem.ts';
import { BadValue, quoted, type ValueType } from './value-type.ts';

/** The content of a configuration file: its values as text, not yet parsed, and the tables per GPU model. */
export type FileContent = {
  readonly entries: ReadonlyMap<string, readonly string[]>;
  readonly gpus: readonly GpuSettings[];
  /** The keys whose values could not be read; `all` if the file could not. */
  readonly unread: ReadonlySet<string> | 'all';
  readonly problems: readonly Problem[];
};

type Table = Readonly<Record<string, unknown>>;

/** Parses a TOML text. `known` are its keys beside the tables per GPU model. Never throws. */
export function readConfigFile(path: string, text: string, known: readonly string[]): FileContent {
  const problems: Problem[] = [];
  const entries = new Map<string, readonly string[]>();
  const gpus: GpuSettings[] = [];
  const unread = new Set<string>();
  const table = parseToml(path, text, problems);
  for (const [key, value] of Object.entries(table ?? {})) {
    if (key === 'gpu') gpus.push(...readGpus(path, value, { problems, unread }));
    else if (known.includes(key)) {
      const written = texts(path, key, value, problems);
      if (written === undefined) unread.add(key);
      else entries.set(key, written);
    } else problems.push(unknownKey(path, key, [...known, 'gpu']));
  }
  return { entries, gpus, unread: table === undefined ? 'all' : unread, problems };
}

function parseToml(path: string, text: string, problems: Problem[]): Table | undefined {
  try {
    return parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const reason = cause.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    problems.push({
      where: path,
      what: `line ${cause.line}, column ${cause.column} is not TOML: ${reason}`,
      hint: 'write each value as key = "value"',
    });
    return undefined;
  }
}

/** Collects what could not be read. */
type Findings = { readonly problems: Problem[]; readonly unread: Set<string> };

function readGpus(path: string, value: unknown, findings: Findings): readonly GpuSettings[] {
  const { problems } = findings;
  if (!isTable(value) || !Object.values(value).every(isTable)) {
    const hint = 'write a table for each model: [gpu."NVIDIA GeForce GTX 1080 Ti"]';
    problems.push({ where: `gpu in ${path}`, what: 'is not a table per GPU model', hint });
    return [];
  }
  const seen = new Set<string>();
  return Object.entries(value).map(([model, table]) => {
    const where = `gpu.${quoted(model)} in ${path}`;
    if (plainModel(model) === '')
      problems.push({ where, what: 'has no GPU model', hint: 'write the name that nvidia-smi -L shows' });
    else if (seen.has(plainModel(model)))
      problems.push({ where, what: 'names the same model as another table', hint: 'keep one of them' });
    seen.add(plainModel(model));
    return readGpu(where, model, isTable(table) ? table : {}, findings);
  });
}

function readGpu(where: string, model: string, table: Table, { problems, unread }: Findings): GpuSettings {
  for (const key of Object.keys(table))
    if (!Object.hasOwn(GPU_KEYS, key)) problems.push(unknownKey(where, key, Object.keys(GPU_KEYS)));
  const value = <T>(key: keyof typeof GPU_KEYS, type: ValueType<T>): T | undefined => {
    const written = Object.hasOwn(table, key) ? texts(where, key, table[key], problems) : undefined;
    if (written === undefined && Object.hasOwn(table, key)) unread.add(key);
    try {
      return written && type.read(written);
    } catch (cause) {
      if (!(cause instanceof BadValue)) throw cause;
      unread.add(key);
      problems.push({ where: `${key} in ${where}`, what: cause.message, hint: cause.hint });
      return undefined;
    }
  };
  return {
    model,
    askPrice: value('ask-price', GPU_KEYS['ask-price']),
    catalogue: value('catalogue', GPU_KEYS.catalogue),
    slots: value('slots', GPU_KEYS.slots),
  };
}

/** A value of the file as the texts that would be written on a command line. */
function texts(
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

function unknownKey(where: string, key: string, known: readonly string[]): Problem {
  const hint =
    key === 'token'
      ? 'put the token into a file of its own with mode 0600, and name that file with token-file'
      : 'correct or remove it; --help lists the options';
  return { where, what: `has the unknown key ${quoted(key)}${didYouMean(key, known)}`, hint };
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
