import type { Config, Loaded } from '../config/config.ts';
import type { Needs } from '../config/load.ts';
import type { OptionKey } from '../config/options.ts';
import type { ValueType } from '../config/value-type.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Redactor } from '../lib/redactor.ts';
import type { OpenPrompts } from './prompts/open.ts';

/** A flag of one command that is on or off: `--once`. */
export type Switch = {
  readonly name: string;
  readonly help: string;
  /** The only action that takes it; empty: only the command without an action; absent: always. */
  readonly action?: string;
};

/** One of the things that a command does: `up` of `network up`, `show ID` of `jobs show ID`. */
export type Action = {
  readonly name: string;
  readonly help: string;
  /** What must be written behind it, as help shows it; absent: nothing. */
  readonly argument?: string;
};

/** What may stand behind a command's name, any number of times: `[GPU...]`. */
export type Operand = {
  readonly name: string;
  readonly help: string;
  /** What has to stand behind all of them, as help shows it. */
  readonly last?: string;
};

/** A flag of one command that takes a value: `--limit N`. */
export type ValueFlag<T> = Switch & { readonly type: ValueType<T>; readonly default: string };

/** An output stream of the process. */
export type Stream = {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours may be used. */
  readonly colour: boolean;
  /** How many characters of a line are visible; of a pipe or a file, how many are readable. */
  readonly columns: number;
};

/** Where a command writes; no secret gets through. */
export type Writer = Stream & {
  /** Replaces the secrets of a text that is to be broken into lines. */
  redact(text: string): string;
};

/** Everything that a command needs of the outside world. */
export type CliContext = {
  readonly stdout: Writer;
  readonly stderr: Writer;
  /** The command's action that was named; empty where none was. */
  readonly action: string;
  /** What was written behind the action; empty where it takes nothing. */
  readonly argument: string;
  /** What stood behind the command's name, where it takes operands. */
  readonly operands: readonly string[];
  /** Who runs the command, for the record of changes; as the system names them, not verified. */
  readonly caller: string;
  /** Asks on the terminal; undefined where nobody can answer. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Opens a conversation on the terminal; undefined where nobody can answer. */
  readonly prompts: OpenPrompts;
  /** Reads what is piped in, of at most so many bytes; undefined: there is more. */
  readonly readInput: (maxBytes: number) => Promise<string | undefined>;
  /** Whether the flag was given, a switch or one with a value. */
  readonly has: (flag: Switch) => boolean;
  /** The value of a flag or its default. Throws CONFIG_INVALID. */
  readonly valueOf: <T>(flag: ValueFlag<T>) => T;
  /**
   * Reads the configuration; with `ask`, a missing price is an error. Prints its warnings on stderr, unless the command
   * shows them itself (`ownWarnings`) or was given --json. Throws CONFIG_INVALID.
   */
  readonly loadConfig: (needs: Needs) => Promise<Loaded>;
  /** A log on stderr with the configured level and format. */
  readonly createLog: (config: Config) => Log;
  /** Takes each token that is read, so that no output shows it. */
  readonly redactor: Redactor;
  readonly clock: HostClock;
  /** The home of the user at the desktop from which the command was given; undefined: it was given elsewhere. */
  readonly desktop: string | undefined;
  /** The user id of this process. */
  readonly uid: number;
  readonly version: string;
  /** The PATH on which programs are looked up. */
  readonly path: string;
};

/** The headings under which the help lists the commands. */
export const COMMAND_GROUPS = ['Run', 'Control', 'Look', 'Set up'] as const;

/** One command of the command line; a folder each, listed in commands.ts. */
export type CliCommand = {
  readonly name: string;
  readonly summary: string;
  readonly group: (typeof COMMAND_GROUPS)[number];
  /** Where the command does more than one thing: what can be named. */
  readonly actions?: readonly Action[];
  /** Whether the command also does something without an action. */
  readonly actionOptional?: true;
  /** What may stand behind its name; not beside actions. */
  readonly operand?: Operand;
  /** The options of the configuration that it takes as flags. */
  readonly options: readonly OptionKey[];
  readonly switches: readonly Switch[];
  readonly values: readonly ValueFlag<unknown>[];
  /** Command lines without the program's name, and what each does. */
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Returns the exit code, or throws what `failure.ts` prints. */
  run(context: CliContext): Promise<number>;
};

/** The action and its argument as help shows them: `up`, `show ID`. */
export function actionText({ argument, name }: Action): string {
  return argument === undefined ? name : `${name} ${argument}`;
}

/** The actions or operands as help shows them behind the command's name; empty where it has none. */
export function actionsText({ actionOptional, actions = [], operand }: CliCommand): string {
  if (operand !== undefined)
    return [`[${operand.name}...]`, ...(operand.last === undefined ? [] : [operand.last])].join(' ');
  const names = actions.map(actionText).join('|');
  return actionOptional ? `[${names}]` : names;
}

/** The switch of every command that prints data. */
export const JSON_SWITCH: Switch = { name: 'json', help: 'print JSON instead of text' };
