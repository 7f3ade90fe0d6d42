import { maySet } from '../../config/option.ts';
import { optionOf } from '../../config/options.ts';
import type { CliCommand } from '../command.ts';

/** What may follow a flag. */
export type ValueKind =
  | { readonly kind: 'none' | 'file' | 'text' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** A flag of a command, without its dashes. */
export type FlagWords = { readonly name: string; readonly help: string; readonly value: ValueKind };

/** What can be completed behind one command. */
export type CommandWords = {
  readonly name: string;
  readonly summary: string;
  readonly actions: readonly { readonly name: string; readonly help: string }[];
  /** Whether GPUs may be named. */
  readonly takesGpus: boolean;
  /** What has to stand behind these. */
  readonly last: readonly string[];
  readonly flags: readonly FlagWords[];
};

const WORDS = /^[a-z0-9-]+(?:\|[a-z0-9-]+)+$/;

/** What shells complete, from the table of commands. Pure. */
export function completionWords(commands: readonly CliCommand[]): readonly CommandWords[] {
  return commands.map(({ actions = [], name, operand, options, summary, switches, values }) => ({
    name,
    summary,
    actions: actions.map((action) => ({ name: action.name, help: action.help })),
    takesGpus: operand?.name === 'GPU',
    last: operand?.last?.split('|') ?? [],
    flags: [
      ...switches.map((flag) => ({ name: flag.name, help: flag.help, value: { kind: 'none' } as const })),
      ...values.map((flag) => ({ name: flag.name, help: flag.help, value: kindOf(flag.type.metavar) })),
      ...options
        .map(optionOf)
        .filter((option) => maySet(option, 'flag'))
        .map((option) => ({ name: option.name, help: option.help, value: kindOf(option.type.metavar) })),
      { name: 'help', help: 'print the help', value: { kind: 'none' } as const },
    ],
  }));
}

/** By the placeholder that help shows: words are those of a choice. */
function kindOf(metavar: string): ValueKind {
  const one = metavar.replace(/,\.\.\.$/, '');
  if (WORDS.test(one)) return { kind: 'words', words: one.split('|') };
  return { kind: one === 'PATH' || one === 'PROGRAM' ? 'file' : 'text' };
}

/** Where the driver lists its GPUs, in the order of nvidia-smi; read without asking the driver, which may take seconds. */
export const DRIVER_GPUS = '/proc/driver/nvidia/gpus';
