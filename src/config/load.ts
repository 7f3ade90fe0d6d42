import { asAgentError } from '../domain/errors.ts';
import { didYouMean } from '../lib/nearest.ts';
import { withoutCredentials } from '../lib/proxy-url.ts';
import { askProblems } from './ask-options.ts';
import { areSources, areValues, type Config, type Loaded, type Source } from './config.ts';
import { type FileContent, readConfigFile } from './config-file.ts';
import type { GpuSettings } from './gpu-settings.ts';
import { imageDiskProblems } from './image-options.ts';
import { electricityProblems } from './money-options.ts';
import { maySet, type Option } from './option.ts';
import { OPTION_KEYS, OPTIONS, type OptionKey, optionOf } from './options.ts';
import { exposedPage } from './page-options.ts';
import { configInvalid, type Problem } from './problem.ts';
import { BadValue } from './value-type.ts';

/** What the configuration is read from. */
export type Sources = {
  /** The texts of each given flag. */
  readonly flags: Readonly<Partial<Record<OptionKey, readonly string[]>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; undefined: it does not exist. Throws if it cannot be read. */
  readonly readFile: (path: string) => Promise<string | undefined>;
};

type File = FileContent & { readonly path: string };
const NO_CONTENT: FileContent = {
  entries: new Map(),
  gpus: [],
  availability: [],
  unread: new Set(),
  problems: [],
  warnings: [],
};
type Written = { readonly texts: readonly string[]; readonly source: Source };

/** What a command needs of the configuration. */
export type Needs = {
  /** Whether a missing price is an error. */
  readonly ask: boolean;
  /** The command shows warnings itself, and calls the broker for long. */
  readonly ownWarnings?: true;
  /** The command writes the file, so that one that is named may be absent. */
  readonly writesFile?: true;
};

/**
 * Reads the configuration: flags before environment, file and defaults. An empty environment variable counts as not set.
 * Throws one CONFIG_INVALID with all problems; with `needs.ask` a missing ask price is one.
 */
export async function loadConfig(sources: Sources, needs: Needs): Promise<Loaded> {
  const problems: Problem[] = [];
  const unknown = unknownVariables(sources.env);
  const file = await findFile(sources, problems, needs);
  const warnings = [...unknown, ...file.warnings];
  const values: Partial<Record<OptionKey, unknown>> = {};
  const origins: Partial<Record<OptionKey, Source>> = {};
  for (const key of OPTION_KEYS) {
    const option = optionOf(key);
    const written = writtenValue(key, sources, file);
    const value = readValue(option, written, problems);
    const warning = value === undefined ? undefined : option.type.warn?.(value);
    if (warning !== undefined) warnings.push(`${label(option, written.source)}: ${warning}`);
    values[key] = value;
    origins[key] = written.source;
  }
  // An ask that could not be read is already a problem.
  const askUnread = file.unread === 'all' || file.unread.has(OPTIONS.askPrice.name);
  if (needs.ask && origins.askPrice?.kind === 'unset' && !askUnread)
    problems.push(...missingAsk(values.cpuSlots, file.gpus));
  problems.push(...exposedPage(values));
  if (areValues(values))
    problems.push(
      ...askProblems(values, file.gpus),
      ...electricityProblems(values),
      ...imageDiskProblems(values),
    );
  if (problems.length > 0 || !areValues(values) || !areSources(origins))
    throw configInvalid(problems, unknown);
  const config: Config = { ...values, gpus: file.gpus, availability: file.availability };
  // Only where the broker is called: it matters to nothing else.
  if (needs.ownWarnings === true) warnings.push(...unusedProxy(sources.env, config));
  return { config, sources: origins, warnings };
}

/** Other programs take their proxy from ALL_PROXY, which often names a SOCKS proxy. */
function unusedProxy(env: Sources['env'], config: Pick<Config, 'httpProxy' | 'httpsProxy'>): string[] {
  const name = ['all_proxy', 'ALL_PROXY'].find((one) => (env[one] ?? '') !== '');
  if (name === undefined || config.httpProxy !== undefined || config.httpsProxy !== undefined) return [];
  const shown = withoutCredentials(env[name] ?? '');
  return [
    `${name} (${shown}) is not used, and SOCKS proxies are not supported: set https-proxy to an HTTP proxy, if the broker needs one`,
  ];
}

async function findFile(sources: Sources, problems: Problem[], needs: Needs): Promise<File> {
  const option = OPTIONS.configFile;
  const { texts, source } = writtenValue('configFile', sources, undefined);
  // An invalid path is reported with the other options.
  const path = readValue(option, { texts, source }, []);
  const nothing = { ...NO_CONTENT, path: path ?? option.default };
  if (path === undefined) return nothing;
  const report = (what: string, hint: string) => problems.push({ where: label(option, source), what, hint });
  try {
    const text = await sources.readFile(path);
    if (text !== undefined) {
      const content = readConfigFile(path, text, fileKeys(), switchKeys());
      problems.push(...content.problems);
      return { path, ...content };
    }
    if (source.kind !== 'default' && needs.writesFile !== true)
      report(`there is no file ${path}`, 'create it, or name another file');
  } catch (cause) {
    const { hint = 'make it readable for the agent’s user', message } = asAgentError(cause);
    report(`${path} cannot be read: ${message}`, hint);
    return { ...nothing, unread: 'all' };
  }
  return nothing;
}

function writtenValue(key: OptionKey, sources: Sources, file: File | undefined): Written {
  const option = optionOf(key);
  const flag = sources.flags[key];
  if (flag !== undefined) return { texts: flag, source: { kind: 'flag', name: `--${option.name}` } };
  for (const name of variablesOf(option)) {
    const variable = sources.env[name];
    if (variable !== undefined && variable.trim() !== '')
      return { texts: [variable], source: { kind: 'env', name } };
  }
  const entry = file?.entries.get(option.name);
  if (file !== undefined && entry !== undefined)
    return { texts: entry, source: { kind: 'file', name: file.path } };
  return option.default === undefined
    ? { texts: [], source: { kind: 'unset', name: 'not set' } }
    : { texts: [option.default], source: { kind: 'default', name: 'default' } };
}

function variablesOf({ env, lowerCaseEnv }: Option<unknown>): readonly string[] {
  return lowerCaseEnv ? [env.toLowerCase(), env] : [env];
}

function readValue<T>(option: Option<T>, written: Written, problems: Problem[]): T | undefined {
  if (written.source.kind === 'unset') return undefined;
  try {
    return option.type.read(written.texts);
  } catch (cause) {
    if (!(cause instanceof BadValue)) throw cause;
    problems.push({ where: label(option, written.source), what: cause.message, hint: cause.hint });
    return undefined;
  }
}

/** The option with its source: `--ask-price`, `ask-price in /etc/...`, `ask-price from SHAREDCLOUD_...`. */
function label(option: Option<unknown>, source: Source): string {
  if (source.kind === 'file') return `${option.name} in ${source.name}`;
  return source.kind === 'env' ? `${option.name} from ${source.name}` : `--${option.name}`;
}

/** Asks per GPU model in the file are enough, unless CPU jobs are offered too. */
function missingAsk(cpuSlots: unknown, gpus: readonly GpuSettings[]): readonly Problem[] {
  const forGpus = gpus.some((gpu) => gpu.askPrice !== undefined);
  if (forGpus && cpuSlots === 0) return [];
  const what = forGpus ? 'no ask price is set for CPU jobs (cpu-slots)' : 'no ask price is set';
  const hint =
    'set it in US dollars per job and minute, here, as SHAREDCLOUD_ASK_PRICE, or as ask-price in the file';
  return [{ where: '--ask-price', what, hint }];
}

function unknownVariables(env: Sources['env']): string[] {
  const known = OPTION_KEYS.map((key) => optionOf(key).env);
  return Object.keys(env)
    .filter((name) => name.startsWith('SHAREDCLOUD_') && !known.includes(name))
    .map((name) => `the environment variable ${name} is unknown${didYouMean(name, known)}`);
}

function fileKeys(): readonly string[] {
  return OPTION_KEYS.map(optionOf)
    .filter((option) => maySet(option, 'file'))
    .map((option) => option.name);
}

function switchKeys(): readonly string[] {
  return OPTION_KEYS.map(optionOf)
    .filter(({ type }) => type.bare !== undefined)
    .map(({ name }) => name);
}
