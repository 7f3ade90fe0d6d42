import { EXIT } from '../../domain/exit-codes.ts';
import type { CliCommand } from '../command.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { type CommandWords, completionWords } from './words.ts';
import { zshCompletion } from './zsh.ts';

const SCRIPTS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** The completion script of a shell, for these commands. */
export function completionScript(shell: string, commands: readonly CliCommand[]): string {
  return SCRIPTS[shell]?.(completionWords(commands)) ?? '';
}

/** Prints a script that completes all commands, this one too; a shell runs it once, so that a completion takes no time. */
export function completion(commands: () => readonly CliCommand[]): CliCommand {
  return {
    name: 'completion',
    summary: 'print what completes commands, flags, values and GPUs in a shell; the Debian package has it',
    group: 'Set up',
    actions: Object.keys(SCRIPTS).map((name) => ({ name, help: `the script for ${name}` })),
    options: [],
    switches: [],
    values: [],
    examples: [
      { line: 'completion bash', does: 'for ~/.bashrc: source <(sharedcloud-agent completion bash)' },
      {
        line: 'completion zsh',
        does: 'for ~/.zshrc, below compinit: source <(sharedcloud-agent completion zsh)',
      },
      { line: 'completion fish', does: 'for ~/.config/fish/completions/sharedcloud-agent.fish' },
    ],
    run: async ({ action, stdout }) => {
      stdout.write(completionScript(action, commands()));
      return EXIT.OK;
    },
  };
}
