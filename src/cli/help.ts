import { GROUPS, maySet } from '../config/option.ts';
import { optionOf } from '../config/options.ts';
import { defaultText } from '../config/options-markdown.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import { wrap } from '../lib/wrap.ts';
import { actionsText, actionText, type CliCommand, COMMAND_GROUPS } from './command.ts';

const NAME = 'sharedcloud-agent';
const WIDTH = 80;
/** The column in which texts start, beside their term or below it. */
const TEXT_COLUMN = 26;
const TEXT_WIDTH = WIDTH - TEXT_COLUMN;

/** One entry: `--cpu-slots <N>`, and what it does, a paragraph each. */
type Item = { readonly term: string; readonly paragraphs: readonly string[] };

/** The help without a command: every command in its group, and the exit codes. */
export function programHelp(commands: readonly CliCommand[]): string {
  const termOf = (command: CliCommand): string => `${command.name} ${actionsText(command)}`.trim();
  return page([
    `Usage: ${NAME} COMMAND [OPTION...]`,
    'Rents out your Nvidia GPUs on a SharedCloud broker.',
    ...COMMAND_GROUPS.map((group) =>
      section(
        group,
        commands
          .filter((command) => command.group === group)
          .map((command) => ({ term: termOf(command), paragraphs: [command.summary] })),
      ),
    ),
    section('Options', [
      { term: '--version', paragraphs: ['print the version'] },
      {
        term: '-h, --help',
        paragraphs: [`print this help; ${NAME} COMMAND --help prints that of a command`],
      },
    ]),
    `Exit codes:\n${exitCodes()
      .map(({ exit, meaning }) => `  ${exit}  ${meaning}`)
      .join('\n')}`,
  ]);
}

/** The help of one command: its own flags, its options by subject, and examples. */
export function commandHelp(command: CliCommand): string {
  const { actions = [], examples, name, operand, options, summary, switches, values } = command;
  const usage = [NAME, name, actionsText(command), '[OPTION...]'];
  const flags: readonly Item[] = [
    ...switches.map((flag) => ({ term: `--${flag.name}`, paragraphs: [flag.help] })),
    ...values.map((flag) => ({
      term: `--${flag.name} <${flag.type.metavar}>`,
      paragraphs: [flag.help, ...(flag.default === '' ? [] : [`[default: ${flag.default}]`])],
    })),
    { term: '-h, --help', paragraphs: ['print this help'] },
  ];
  const settings = options.map(optionOf).filter((option) => maySet(option, 'flag'));
  return page([
    `Usage: ${usage.filter((part) => part !== '').join(' ')}`,
    sentence(summary),
    ...(actions.length === 0
      ? []
      : [
          section(
            'Actions',
            actions.map((action) => ({ term: actionText(action), paragraphs: [action.help] })),
          ),
        ]),
    operand === undefined ? '' : section('Operands', [{ term: operand.name, paragraphs: [operand.help] }]),
    section('Options', flags),
    ...GROUPS.map((group) =>
      section(
        group,
        settings
          .filter((option) => option.group === group)
          .map((option) => ({
            term: `--${option.name} <${option.type.metavar}>`,
            paragraphs: [
              option.help.replaceAll('`', ''),
              ...origin(defaultText(option).replaceAll('`', ''), option.env),
            ],
          })),
      ),
    ),
    `Examples:\n${examples.map(({ does, line }) => `  ${[NAME, line].join(' ')}\n      ${does}`).join('\n')}`,
  ]);
}

/** The default and the environment variable, on one line where there is room. */
function origin(fallback: string, env: string): readonly string[] {
  const parts = [`[default: ${fallback}]`, `[env: ${env}]`];
  const line = parts.join(' ');
  return line.length <= TEXT_WIDTH ? [line] : parts;
}

function section(title: string, items: readonly Item[]): string {
  return items.length === 0 ? '' : `${title}:\n${items.map(entry).join('\n')}`;
}

function entry({ paragraphs, term }: Item): string {
  const lines = paragraphs.flatMap((text) => wrap(text, TEXT_WIDTH));
  const head = `  ${term}`;
  const [first = '', ...rest] = lines;
  const below = (line: string): string => `${' '.repeat(TEXT_COLUMN)}${line}`;
  if (head.length > TEXT_COLUMN - 2) return [head, ...lines.map(below)].join('\n');
  return [`${head.padEnd(TEXT_COLUMN)}${first}`, ...rest.map(below)].join('\n');
}

function sentence(summary: string): string {
  return wrap(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, WIDTH).join('\n');
}

function page(sections: readonly string[]): string {
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}
