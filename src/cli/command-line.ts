import { Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { maySet } from '../config/option.ts';
import { OPTIONS, type OptionKey, optionOf } from '../config/options.ts';
import type { ValueType } from '../config/value-type.ts';
import { AgentError } from '../domain/errors.ts';
import { actionText, type CliCommand } from './command.ts';
import { commandHelp, programHelp } from './help.ts';

/** What a command line asks for. */
export type Request =
  | {
      readonly kind: 'command';
      readonly command: CliCommand;
      /** Which of its actions; empty where none was named. */
      readonly action: string;
      /** What was written behind the action; empty where it takes nothing. */
      readonly argument: string;
      readonly operands: readonly string[];
      /** What was written for each option of the configuration. */
      readonly options: Readonly<Partial<Record<OptionKey, readonly string[]>>>;
      /** The command's own flags: what was written for each, or true for a switch. */
      readonly flags: Readonly<Record<string, readonly string[] | true | undefined>>;
    }
  /** The help or the version, to be printed. */
  | { readonly kind: 'text'; readonly text: string }
  /** No command was named: the help, as an error. */
  | { readonly kind: 'usage'; readonly text: string };

const parsedOptions = z.record(z.string(), z.union([z.boolean(), z.array(z.string()), z.undefined()]));

/** Parses a command line. Throws CONFIG_INVALID, with the nearest valid name where there is one. */
export function readCommandLine(
  argv: readonly string[],
  commands: readonly CliCommand[],
  version: string,
): Request {
  let text = '';
  let request: Request | undefined;
  const program = new Command('sharedcloud-agent')
    .version(version, '--version')
    .configureHelp({ formatHelp: () => programHelp(commands) })
    .exitOverride()
    .configureOutput({ writeOut: (part) => (text += part), writeErr: (part) => (text += part) });
  for (const command of commands) addCommand(program, command, (found) => (request = found));
  try {
    program.parse(argv, { from: 'user' });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    if (cause.exitCode === 0) return { kind: 'text', text };
    if (cause.code === 'commander.help') return { kind: 'usage', text };
    throw invalid(cause);
  }
  return request ?? { kind: 'usage', text: program.helpInformation() };
}

function addCommand(program: Command, command: CliCommand, onRequest: (request: Request) => void): void {
  const sub = program
    .command(command.name)
    .configureHelp({ formatHelp: () => commandHelp(command) })
    .allowExcessArguments(false);
  const flags = [
    ...command.switches.map(({ name }) => new Option(`--${name}`)),
    ...command.values.map(({ name, type }) => withValue(name, type)),
  ];
  const options = command.options
    .map((key) => ({ key, ...optionOf(key) }))
    .filter((option) => maySet(option, 'flag'))
    .map(({ key, name, type }) => ({ key, option: withValue(name, type) }));
  for (const option of [...flags, ...options.map(({ option }) => option)]) sub.addOption(option);
  if (command.operand !== undefined) sub.argument(`[${command.operand.name}...]`);
  if (command.actions !== undefined) sub.argument('[action]');
  if (command.actions?.some(({ argument }) => argument !== undefined)) sub.argument('[argument]');
  sub.action(() => {
    const operands = command.operand === undefined ? [] : sub.args;
    const [action = '', argument = ''] = command.operand === undefined ? sub.args : [];
    checkAction(command, action, argument);
    const written = parsedOptions.parse(sub.opts());
    for (const flag of [...command.switches, ...command.values])
      if (flag.action !== undefined && flag.action !== action && isWritten(flag.name, written))
        throw misplaced(command, flag.name, action);
    onRequest({
      kind: 'command',
      command,
      action,
      argument,
      operands,
      options: Object.fromEntries(
        options.flatMap(({ key, option }) => {
          const texts = written[option.attributeName()];
          return Array.isArray(texts) ? [[key, texts]] : [];
        }),
      ),
      flags: Object.fromEntries(
        flags.flatMap((flag) => {
          const value = written[flag.attributeName()];
          // Commander reads `--no-wait` as `wait: false`.
          if (flag.negate) return value === false ? [[flag.name(), true]] : [];
          return value === undefined || value === false ? [] : [[flag.name(), value]];
        }),
      ),
    });
  });
}

/** Throws CONFIG_INVALID for an unknown action, and for one without its argument or with one too many. */
function checkAction(command: CliCommand, action: string, argument: string): void {
  const { actionOptional, actions, name } = command;
  if (actions === undefined || (actionOptional && action === '')) return;
  const hint = `run sharedcloud-agent ${name} --help`;
  const found = actions.find((one) => one.name === action);
  if (found === undefined) {
    const names = actions.map(actionText).join(', ');
    const what = actionOptional
      ? `${name} has no action ${JSON.stringify(action)}, only`
      : `${name} needs one of`;
    throw new AgentError('CONFIG_INVALID', `${what} ${names}`, { hint });
  }
  if (found.argument !== undefined && argument.trim() === '')
    throw new AgentError('CONFIG_INVALID', `${name} ${action} needs its ${found.argument}`, { hint });
  if (found.argument === undefined && argument !== '')
    throw new AgentError('CONFIG_INVALID', `too many arguments for '${name} ${action}'`, { hint });
}

function isWritten(name: string, written: z.infer<typeof parsedOptions>): boolean {
  const value = written[new Option(`--${name}`).attributeName()];
  return value !== undefined && value !== false;
}

function misplaced({ name }: CliCommand, flag: string, action: string): AgentError {
  return new AgentError('CONFIG_INVALID', `${[name, action].join(' ').trim()} does not take --${flag}`, {
    hint: `run sharedcloud-agent ${name} --help`,
  });
}

/** Collects the values of a repeated flag: whether there may be several is for the value's type to say. */
function withValue(name: string, { bare, metavar }: Pick<ValueType<unknown>, 'bare' | 'metavar'>): Option {
  return new Option(`--${name} ${bare === undefined ? `<${metavar}>` : `[${metavar}]`}`)
    .preset(bare)
    .argParser((written: string, before: readonly string[] | undefined): readonly string[] => [
      ...(before ?? []),
      written,
    ]);
}

function invalid(cause: CommanderError): AgentError {
  // Before all else, because the message would show the token of `--token=TOKEN`.
  if (
    cause.message.includes(`'--${OPTIONS.token.name}'`) ||
    cause.message.includes(`'--${OPTIONS.token.name}=`)
  )
    return new AgentError('CONFIG_INVALID', 'there is no flag for the token', {
      hint: `write it into a file and name it with --${OPTIONS.tokenFile.name}`,
    });
  const message = cause.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new AgentError('CONFIG_INVALID', message, {
    hint: 'run sharedcloud-agent --help for the commands, sharedcloud-agent COMMAND --help for its options',
    cause,
  });
}
