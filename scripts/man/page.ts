import { actionsText, type CliCommand } from '../../src/cli/command.ts';
import { GROUPS, maySet, type Option } from '../../src/config/option.ts';
import { OPTION_KEYS, optionOf } from '../../src/config/options.ts';
import { defaultText } from '../../src/config/options-markdown.ts';
import { exitCodes } from '../../src/domain/exit-codes.ts';
import { ACTIONS, SIGNAL_TABLE, SIGNALS, type SignalKind } from '../../src/domain/signals.ts';
import { COMMANDS } from '../docs/commands.ts';
import { bold, escaped, italic, section, tagged } from './roff.ts';

const DESCRIPTION = `sharedcloud-agent detects the Nvidia GPUs of this host and offers them on a SharedCloud broker. It claims runs
that pay the ask, executes their jobs in isolated Docker containers, and reports the results. A restart loses
nothing.`;

const FILES: readonly (readonly [path: string, words: string])[] = [
  ['/etc/sharedcloud-agent/config.toml', 'the configuration; each key is the name of an option'],
  ['/etc/sharedcloud-agent/token', 'the broker’s token, mode 0600, which the service gets as a credential'],
  ['/var/lib/sharedcloud-agent', 'the journal, the files of jobs, and the socket that health asks'],
];

const HEARD: readonly SignalKind[] = ['end', 'drain', 'reload'];

/** The man page of all commands and options, in roff, generated from the tables of the code. */
export function manPage(): string {
  return [
    '.\\" Made by scripts/man.ts; the words are in src/config/options.ts and beside the commands.',
    '.TH SHAREDCLOUD\\-AGENT 8',
    section('NAME', 'sharedcloud\\-agent \\- rent out Nvidia GPUs on a SharedCloud broker'),
    section('SYNOPSIS', `${bold('sharedcloud-agent')} ${italic('COMMAND')} [${italic('OPTION')}...]`),
    section('DESCRIPTION', escaped(DESCRIPTION)),
    section('COMMANDS', ...COMMANDS.map(commandEntry)),
    section(
      'OPTIONS',
      escaped(
        'A flag overrides the environment, which overrides the file, which overrides the default. Each command takes the options that it needs; --help lists them.',
      ),
      ...GROUPS.flatMap((group) => [`.SS ${group}`, ...optionsOf(group).map(optionEntry)]),
    ),
    section('SIGNALS', ...HEARD.map(signalEntry)),
    section('FILES', ...FILES.map(([path, words]) => tagged(italic(path), escaped(words)))),
    section(
      'EXIT STATUS',
      ...exitCodes().map(({ exit, meaning }) => tagged(bold(String(exit)), escaped(meaning))),
    ),
    section('SEE ALSO', `${bold('systemctl')}(1), ${bold('journalctl')}(1), ${bold('docker')}(1)`),
  ].join('\n');
}

function signalEntry(heard: SignalKind): string {
  const first = SIGNAL_TABLE.working[heard];
  const again = SIGNAL_TABLE.draining[heard];
  const later = again === first ? '' : `. While it drains: ${ACTIONS[again].meaning}`;
  const last =
    SIGNAL_TABLE.stopping[heard] === first
      ? ''
      : `. While it ends: ${ACTIONS[SIGNAL_TABLE.stopping[heard]].meaning}`;
  return tagged(bold(SIGNALS[heard].join(', ')), escaped(`${ACTIONS[first].meaning}${later}${last}`));
}

function commandEntry(command: CliCommand): string {
  const flags = [
    ...command.switches.map(({ help, name }) => `--${name}: ${help}`),
    ...command.values.map(({ help, name, type }) => `--${name} ${type.metavar}: ${help}`),
  ];
  const words = [command.summary, ...flags].map((text) => escaped(text.replaceAll('`', '')));
  return tagged(bold(`${command.name} ${actionsText(command)}`.trim()), words.join('\n.br\n'));
}

function optionsOf(group: string): readonly Option<unknown>[] {
  return OPTION_KEYS.map(optionOf).filter((option) => option.group === group);
}

function optionEntry(option: Option<unknown>): string {
  const flag = maySet(option, 'flag') ? `${bold(`--${option.name}`)} ${italic(option.type.metavar)}` : '';
  const head = flag === '' ? bold(option.env) : flag;
  const environment = flag === '' ? '' : `; environment: ${option.env}`;
  const words = `${option.help} (default: ${defaultText(option)}${environment})`;
  return tagged(head, escaped(words.replaceAll('`', '')));
}
