import { Argument, Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { defaultText } from '../config/document.ts';
import { maySet, type OptionKey, optionOf } from '../config/options.ts';
import { AgentError } from '../domain/errors.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import type { CliCommand, ValueFlag } from './command.ts';

/** What a command line asks for. */
export type Asked =
  | {
      readonly kind: 'command';
      readonly command: CliCommand;
      /** Which of its actions, or empty where it has none. */
      readonly action: string;
      /** What was written for each option of the configuration. */
      readonly options: Readonly<Partial<Record<OptionKey, readonly string[]>>>;
      /** The command's own flags: what was written for each, or true for a switch. */
      readonly flags: Readonly<Record<string, readonly string[] | true | undefined>>;
    }
  /** Text to print and be done: the help or the version. */
  | { readonly kind: 'text'; readonly text: string }
  /** Nothing was asked for: the help, as an error. */
  | { readonly kind: 'usage'; readonly text: string };

const parsedOptions = z.record(z.string(), z.union([z.boolean(), z.array(z.string()), z.undefined()]));

/** Reads a command line, without doing anything yet. Throws CONFIG_INVALID with the nearest right word. */
export function readCommandLine(
  argv: readonly string[],
  commands: readonly CliCommand[],
  version: string,
): Asked {
  let text = '';
  let asked: Asked | undefined;
  const program = new Command('sharedcloud-agent')
    .description('Rents out your Nvidia GPU on a SharedCloud broker.')
    .version(version, '--version', 'print the version')
    .configureHelp({ minWidthToWrap: 20 })
    .exitOverride()
    .configureOutput({ writeOut: (part) => (text += part), writeErr: (part) => (text += part) })
    .addHelpText('after', exitCodesHelp());
  for (const command of commands) addCommand(program, command, (found) => (asked = found));
  try {
    program.parse(argv, { from: 'user' });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    if (cause.exitCode === 0) return { kind: 'text', text };
    if (cause.code === 'commander.help') return { kind: 'usage', text };
    throw misread(cause);
  }
  return asked ?? { kind: 'usage', text: program.helpInformation() };
}

function addCommand(program: Command, command: CliCommand, onAsked: (asked: Asked) => void): void {
  const sub = program.command(command.name).description(command.summary).allowExcessArguments(false);
  const flags = [
    ...command.switches.map(({ name, help }) => new Option(`--${name}`, help)),
    ...command.values.map(valueOption),
  ];
  const options = command.options
    .filter((key) => maySet(optionOf(key), 'flag'))
    .map((key) => ({ key, option: configOption(key) }));
  for (const option of [...flags, ...options.map(({ option }) => option)]) sub.addOption(option);
  if (command.actions !== undefined)
    sub.addArgument(new Argument('<action>', 'what to do').choices(command.actions));
  sub.action(() => {
    const written = parsedOptions.parse(sub.opts());
    onAsked({
      kind: 'command',
      command,
      action: sub.args[0] ?? '',
      options: Object.fromEntries(
        options.flatMap(({ key, option }) => {
          const texts = written[option.attributeName()];
          return Array.isArray(texts) ? [[key, texts]] : [];
        }),
      ),
      flags: Object.fromEntries(
        flags.flatMap((flag) => {
          const value = written[flag.attributeName()];
          // A switch that is named `no-...` is one that says no to something: it is on where that is false.
          if (flag.negate) return value === false ? [[flag.name(), true]] : [];
          return value === undefined || value === false ? [] : [[flag.name(), value]];
        }),
      ),
    });
  });
}

function configOption(key: OptionKey): Option {
  const { name, type, env, help, group } = optionOf(key);
  const text = `${help} (${env}; ${defaultText(optionOf(key))})`.replaceAll('`', '');
  return new Option(`--${name} <${type.metavar}>`, text).helpGroup(`${group}:`).argParser(everyOne);
}

function valueOption(flag: ValueFlag<unknown>): Option {
  return new Option(`--${flag.name} <${flag.type.metavar}>`, `${flag.help} (${flag.default})`).argParser(
    everyOne,
  );
}

/** Keeps what every repetition of a flag says: whether there may be several is for the value's type to runChecks. */
function everyOne(written: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), written];
}

function misread(cause: CommanderError): AgentError {
  const message = cause.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new AgentError('CONFIG_INVALID', message, {
    hint: 'sharedcloud-agent --help lists the commands, sharedcloud-agent COMMAND --help its options',
    cause,
  });
}

function exitCodesHelp(): string {
  const lines = exitCodes().map(({ exit, meaning }) => `  ${exit}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}`;
}
