import { parse, TomlError } from 'smol-toml';
import type { AvailabilityRule } from '../domain/schedule/availability.ts';
import { isTable, orProblem, type Table, texts, unknownKey, unknownTableKey } from './file-values.ts';
import { GPU_KEYS, type GpuSettings, isUuid, KEYS_OF_ONE_GPU, plainModel } from './gpu-settings.ts';
import type { Problem } from './problem.ts';
import { readAvailability } from './schedule/availability.ts';
import { quoted, type ValueType } from './value-type.ts';

/** The content of a configuration file: its values as text, not yet parsed, and its tables. */
export type FileContent = {
  readonly entries: ReadonlyMap<string, readonly string[]>;
  readonly gpus: readonly GpuSettings[];
  readonly availability: readonly AvailabilityRule[];
  /** The keys whose values could not be read; `all` if the file could not. */
  readonly unread: ReadonlySet<string> | 'all';
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
};

/** Parses a TOML text. `known` are its keys beside the tables, of which `switches` may be true or false. Never throws. */
export function readConfigFile(
  path: string,
  text: string,
  known: readonly string[],
  switches: readonly string[],
): FileContent {
  const problems: Problem[] = [];
  const entries = new Map<string, readonly string[]>();
  const gpus: GpuSettings[] = [];
  const availability: AvailabilityRule[] = [];
  const unread = new Set<string>();
  const warnings: string[] = [];
  const table = parseToml(path, text, problems);
  for (const [key, value] of Object.entries(table ?? {})) {
    if (key === 'gpu') gpus.push(...readGpus(path, value, { problems, unread, topKeys: known }));
    else if (key === 'availability')
      availability.push(...readAvailability(path, value, { problems, warnings, topKeys: known }));
    else if (known.includes(key)) {
      const isSwitched = typeof value === 'boolean' && switches.includes(key);
      const written = texts(path, key, isSwitched ? String(value) : value, problems);
      if (written === undefined) unread.add(key);
      else entries.set(key, written);
    } else problems.push(unknownKey(path, key, [...known, 'gpu', 'availability']));
  }
  return { entries, gpus, availability, unread: table === undefined ? 'all' : unread, problems, warnings };
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
type Findings = {
  readonly problems: Problem[];
  readonly unread: Set<string>;
  /** The keys of the top of the file. */
  readonly topKeys: readonly string[];
};

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

function readGpu(
  where: string,
  model: string,
  table: Table,
  { problems, topKeys, unread }: Findings,
): GpuSettings {
  for (const key of Object.keys(table))
    if (!Object.hasOwn(GPU_KEYS, key))
      problems.push(
        unknownTableKey(where, key, { name: '[gpu."MODEL"]', keys: Object.keys(GPU_KEYS), topKeys }),
      );
    else if (isUuid(model) && !KEYS_OF_ONE_GPU.includes(key))
      problems.push({
        where: `${key} in ${where}`,
        what: 'cannot differ between GPUs of one model',
        hint: `write it into the table of the model; that of one GPU may have ${KEYS_OF_ONE_GPU.join(', ')}`,
      });
  const value = <T>(key: keyof typeof GPU_KEYS, type: ValueType<T>): T | undefined => {
    const written = Object.hasOwn(table, key) ? texts(where, key, table[key], problems) : undefined;
    if (written === undefined && Object.hasOwn(table, key)) unread.add(key);
    if (written === undefined) return undefined;
    const read = orProblem(`${key} in ${where}`, problems, () => type.read(written));
    if (read === undefined) unread.add(key);
    return read;
  };
  return {
    model,
    askPrice: value('ask-price', GPU_KEYS['ask-price']),
    askMin: value('ask-min', GPU_KEYS['ask-min']),
    askMax: value('ask-max', GPU_KEYS['ask-max']),
    catalogue: value('catalogue', GPU_KEYS.catalogue),
    slots: value('slots', GPU_KEYS.slots),
    whenActive: value('when-active', GPU_KEYS['when-active']),
    whenGaming: value('when-gaming', GPU_KEYS['when-gaming']),
    maxGpuTemperature: value('max-gpu-temperature', GPU_KEYS['max-gpu-temperature']),
  };
}
