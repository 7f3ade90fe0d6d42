import type { Config, Loaded } from '../config/config.ts';
import type { OptionKey } from '../config/options.ts';
import type { ValueType } from '../config/value-type.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Redactor } from '../lib/redactor.ts';

/** A flag of one command that is on or off: `--once`. */
export type Switch = { readonly name: string; readonly help: string };

/** A flag of one command that takes a value: `--limit N`. */
export type ValueFlag<T> = Switch & { readonly type: ValueType<T>; readonly default: string };

/** Where a command writes. */
export type Writer = {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours may be used. */
  readonly colour: boolean;
};

/** What a command is given; everything that it needs of the outside world is in here. */
export type CliContext = {
  readonly stdout: Writer;
  readonly stderr: Writer;
  /** Which of the command's actions was named; empty where it has none. */
  readonly action: string;
  /** Whether the flag was given, a switch or one with a value. */
  readonly has: (flag: Switch) => boolean;
  /** The value of a flag or its default. Throws CONFIG_INVALID. */
  readonly valueOf: <T>(flag: ValueFlag<T>) => T;
  /** Reads the configuration; with `ask`, not having a price is one of the problems. Throws CONFIG_INVALID. */
  readonly loadConfig: (needs: { readonly ask: boolean }) => Promise<Loaded>;
  /** A log on stderr as the configuration wants it. */
  readonly createLog: (config: Config) => Log;
  /** Told of each token, so that nothing that is written shows it. */
  readonly redactor: Redactor;
  readonly clock: HostClock;
  /** The user that we run as. */
  readonly uid: number;
  readonly version: string;
  /** Where programs are looked up. */
  readonly path: string;
};

/** One command of the command line; a file each, listed in commands.ts. */
export type CliCommand = {
  readonly name: string;
  readonly summary: string;
  /** What it can be told to do, where that is more than one thing; one of them has to be named. */
  readonly actions?: readonly string[];
  /** The options of the configuration that it takes as flags. */
  readonly options: readonly OptionKey[];
  readonly switches: readonly Switch[];
  readonly values: readonly ValueFlag<unknown>[];
  /** Answers the exit code, or throws what `failure.ts` shows. */
  run(context: CliContext): Promise<number>;
};

/** The switch of every command that prints data. */
export const JSON_SWITCH: Switch = { name: 'json', help: 'print JSON instead of text' };
