import { createInterface } from 'node:readline';
import { escapeControls } from '../../lib/escape.ts';
import { wrap } from '../../lib/wrap.ts';
import { Cancelled, type Choice, type Prompts, type Validate } from './prompts.ts';
import { readHidden } from './read-hidden.ts';
import type { Terminal } from './terminal.ts';

/** Questions as plain lines: for a single question, and for terminals whose cursor cannot be moved. */
export function linePrompts(terminal: Terminal): Prompts {
  const { output } = terminal;
  const write = (text: string): void => void output.write(text);
  const say = (text: string): void => {
    for (const line of text.split('\n'))
      write(`${wrap(terminal.printable(line), output.columns || 80).join('\n')}\n`);
  };
  const ask = async (
    message: string,
    read: (terminal: Terminal, prompt: string) => Promise<string>,
    validate?: Validate,
  ): Promise<string> => {
    for (;;) {
      const answer = await read(terminal, terminal.printable(message));
      const problem = validate?.(answer);
      if (problem === undefined) return answer;
      say(problem);
    }
  };
  const prompts: Prompts = {
    text: ({ initial = '', message, validate }) => {
      const shown = initial === '' ? `${message}: ` : `${message} [${initial}]: `;
      const read = async (...of: Parameters<typeof readLine>): Promise<string> =>
        (await readLine(...of)) || initial;
      return ask(shown, read, validate);
    },
    secret: ({ message, validate }) => ask(`${message} (not shown): `, readHidden, validate),
    select: async ({ choices, initial, message }) => {
      say(message);
      choices.forEach(({ hint, label }, at) =>
        say(`  ${at + 1}  ${label}${hint === undefined ? '' : ` (${hint})`}`),
      );
      const first = choices.findIndex(({ value }) => value === initial) + 1;
      const answer = await prompts.text({
        message: 'Number',
        initial: String(first),
        validate: (text) =>
          chosen(choices, text) === undefined ? `write a number from 1 to ${choices.length}` : undefined,
      });
      return chosen(choices, answer)?.value ?? initial;
    },
    confirm: async ({ initial, message }) => {
      const answer = await ask(`${message} ${initial ? '[Y/n]' : '[y/N]'} `, readLine, (text) =>
        /^(?:y|yes|n|no|)$/i.test(text) ? undefined : 'write y or n',
      );
      return answer === '' ? initial : /^y/i.test(answer);
    },
    say,
    note: (title, text) => say(`\n${title}\n\n${text}\n`),
  };
  return prompts;
}

function chosen<T>(choices: readonly Choice<T>[], text: string): Choice<T> | undefined {
  return /^\d+$/.test(text) ? choices[Number(text) - 1] : undefined;
}

/** One line, without blanks around it. Throws Cancelled at the end of the input. */
async function readLine({ input, output }: Terminal, prompt: string): Promise<string> {
  output.write(prompt);
  const lines = createInterface({ input, terminal: false });
  try {
    const line = await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
    });
    if (line === undefined) throw new Cancelled();
    return escapeControls(line.trim());
  } finally {
    lines.close();
  }
}
