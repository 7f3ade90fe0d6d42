import { Writable } from 'node:stream';

import * as clack from '@clack/prompts';
import { wrap } from '../../lib/wrap.ts';
import { Cancelled, type Prompts, type Tone } from './prompts.ts';
import { asciiOf, type Terminal } from './terminal.ts';

/** A control sequence that changes colours. */
const COLOUR = /\p{Cc}\[[0-9;]*m/gu;

/** The frame at the left of every line. */
const GUIDE = 3;

/** The dialogue of `setup`. */
export function clackPrompts(terminal: Terminal): Prompts {
  const output = new Screen(terminal);
  const { input, printable } = terminal;
  const say = (text: string, tone: Tone = 'plain'): void => {
    const lines = text.split('\n').flatMap((line) => wrap(printable(line), output.columns - GUIDE));
    const write = {
      plain: clack.log.message,
      ok: clack.log.success,
      warn: clack.log.warn,
      error: clack.log.error,
    };
    write[tone](lines.join('\n'), { output });
  };
  return {
    text: async ({ initial = '', message, validate }) => {
      const answer = await ask(terminal, (signal) =>
        clack.text({
          message: fold(message, output),
          defaultValue: initial,
          ...(initial === '' ? {} : { placeholder: initial }),
          ...(validate && { validate: (text) => validate((text ?? '').trim() || initial) }),
          input,
          output,
          signal,
        }),
      );
      return answer.trim();
    },
    secret: ({ message, validate }) =>
      ask(terminal, (signal) =>
        clack.password({
          message: fold(`${message} (not shown)`, output),
          // The library would show one character for each that is typed.
          mask: '',
          ...(validate && { validate: (text) => validate(text ?? '') }),
          input,
          output,
          signal,
        }),
      ),
    select: async ({ choices, initial, message }) => {
      const answer = await ask(terminal, (signal) =>
        clack.select<string>({
          message,
          options: choices.map(({ hint, label, value }) => ({
            value,
            label,
            ...(hint !== undefined && { hint }),
          })),
          initialValue: initial,
          showInstructions: false,
          input,
          output,
          signal,
        }),
      );
      return choices.find(({ value }) => value === answer)?.value ?? initial;
    },
    confirm: ({ initial, message }) =>
      ask(terminal, (signal) => clack.confirm({ message, initialValue: initial, input, output, signal })),
    say,
    note: (title, text) => say(`${title}\n\n${text}`),
  };
}

/** With the frame before each line: the library puts it only before the first one of some questions. */
function fold(message: string, { columns }: Screen): string {
  return wrap(message, columns - GUIDE).join(`\n${clack.S_BAR}  `);
}

/** Asks one question. The library knows Ctrl-C, but neither Ctrl-D nor a terminal that was closed. */
async function ask<T>(
  { input }: Terminal,
  question: (signal: AbortSignal) => Promise<T | typeof clack.CANCEL_SYMBOL>,
): Promise<T> {
  const closed = new AbortController();
  const onData = (bytes: Buffer | string): void => {
    if (String(bytes).includes('\u0004')) closed.abort();
  };
  const onEnd = (): void => closed.abort();
  input.on('data', onData);
  input.once('end', onEnd);
  input.once('close', onEnd);
  try {
    const answer = await question(closed.signal);
    if (clack.isCancel(answer)) throw new Cancelled();
    return answer;
  } finally {
    input.off('data', onData);
    input.off('end', onEnd);
    input.off('close', onEnd);
  }
}

/** What the library writes to: the terminal, without secrets, in the characters that it has, in colour only where it may. */
class Screen extends Writable {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
    terminal.output.on('resize', () => this.emit('resize'));
  }

  get columns(): number {
    return this.#terminal.output.columns || 80;
  }

  get rows(): number {
    return this.#terminal.output.rows || 24;
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    const { colour, hasUnicode, output } = this.#terminal;
    const plain = colour ? text : text.replace(COLOUR, '');
    output.write(hasUnicode ? plain : asciiOf(plain));
    done();
  }
}
