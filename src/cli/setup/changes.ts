import type { Loaded } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { maySet, type Option } from '../../config/option.ts';
import { OPTION_KEYS, optionOf } from '../../config/options.ts';
import { editToml, type TomlChange, type TomlTable, type TomlValue } from '../../config/toml-edit.ts';
import { proxySecrets } from '../../lib/proxy-url.ts';
import { wrap } from '../../lib/wrap.ts';

/** A value for the configuration file. */
export type FileChange = TomlChange;

/** A table for it. */
export type FileTable = TomlTable;

/** What the file is to say, and what it says now. */
export type FilePlan = {
  readonly path: string;
  /** Undefined: there is none. */
  readonly before: string | undefined;
  readonly after: string;
  /** What the file will mean by itself, without flags and environment. */
  readonly loaded: Loaded;
};

/** A terminal of 80 columns shows the whole line, also in the frame of the dialogue. */
const WIDTH = 72;

const HEAD = `# The owner's settings. Each key is an option of \`man sharedcloud-agent\`.
# After a change of prices or of the schedule reload the agent, after any
# other restart it: jobs keep running.
`;

/** The options that were given as flags, as lines of the file. */
export function changesOfFlags({ config, sources }: Loaded): readonly FileChange[] {
  return OPTION_KEYS.flatMap((key) => {
    const option = optionOf(key);
    if (sources[key].kind !== 'flag' || !maySet(option, 'file')) return [];
    const value: unknown = config[key];
    return [{ path: [option.name], value: fileValue(value, option) }];
  });
}

/** The file with the changes that make a difference. Throws CONFIG_INVALID where it would not be valid. */
export async function planFile(
  path: string,
  before: string | undefined,
  wanted: { readonly changes: readonly FileChange[]; readonly tables: readonly FileTable[] },
): Promise<FilePlan> {
  const now = await loadText(path, before ?? '', false);
  const changes = wanted.changes.filter((change) => !isSet(now, change)).map(withHelp);
  const after = editToml(before ?? HEAD, changes, wanted.tables);
  return { path, before, after, loaded: await loadText(path, after, true) };
}

/** Whether the file holds what only its owner may read: a proxy's password, or a URL that is never shown whole. */
export function hasSecrets({ config }: Loaded): boolean {
  return OPTION_KEYS.some((key) => {
    const value: unknown = config[key];
    if (typeof value !== 'string') return false;
    if (key === 'httpProxy' || key === 'httpsProxy') return proxySecrets(value).length > 0;
    return optionOf(key).type.show(value) !== value;
  });
}

function loadText(path: string, text: string, ask: boolean): Promise<Loaded> {
  const env = { SHAREDCLOUD_CONFIG: path };
  return loadConfig(
    { flags: {}, env, readFile: async (asked) => (asked === path ? text : undefined) },
    { ask },
  );
}

/** Whether the configuration has the value already, by the file or by default. */
function isSet({ config }: Loaded, { path, value }: FileChange): boolean {
  const [top = '', model = '', name = ''] = path;
  if (path.length === 1) {
    const key = OPTION_KEYS.find((one) => optionOf(one).name === top);
    const now: unknown = key && config[key];
    if (key === undefined || now === undefined) return false;
    return JSON.stringify(fileValue(now, optionOf(key))) === JSON.stringify(value);
  }
  const gpu = config.gpus.find((one) => one.model === model);
  return name === 'ask-price' ? gpu?.askPrice === value : gpu?.catalogue === value;
}

/** A line that is new gets what the option's help says above it. */
function withHelp(change: FileChange): FileChange {
  const option = OPTION_KEYS.map(optionOf).find(({ name }) => name === change.path[0]);
  const comment = change.comment ?? (option === undefined ? undefined : sentence(option.help));
  return comment === undefined ? change : { ...change, comment: wrap(comment, WIDTH).join('\n') };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function fileValue(value: unknown, { type }: Option<unknown>): TomlValue {
  // A text as it is: a URL with a secret is not shown whole.
  if (typeof value === 'string') return value;
  const shown = type.show(value);
  if (type.many) return shown === '' ? [] : shown.split(',');
  return typeof value === 'number' && String(value) === shown ? value : shown;
}
