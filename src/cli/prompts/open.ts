import type { ReadStream, WriteStream } from 'node:tty';
import { AgentError } from '../../domain/errors.ts';
import { escapeControls } from '../../lib/escape.ts';
import type { Redactor } from '../../lib/redactor.ts';
import { linePrompts } from './line-prompts.ts';
import type { Prompts } from './prompts.ts';
import { asciiOf, hasUnicode, isDumb, type Terminal } from './terminal.ts';

/** Opens a conversation; undefined where nobody can answer. `line`: plain lines, as for a single question. */
export type OpenPrompts = (kind: 'line' | 'dialogue') => Promise<Prompts | undefined>;

/** The streams and the environment of the process. */
export type TerminalParts = {
  /** Opened where it is needed: not every command reads. */
  readonly input: () => ReadStream;
  readonly output: WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly redactor: Redactor;
};

/** Questions are asked on stderr, so that stdout has the result alone. */
export function promptsOn({ env, input: open, output, redactor }: TerminalParts): OpenPrompts {
  return async (kind) => {
    const input = open();
    if (!input.isTTY || !output.isTTY) return undefined;
    const hasGlyphs = hasUnicode(env);
    const terminal: Terminal = {
      input,
      output,
      isDumb: isDumb(env['TERM']),
      hasUnicode: hasGlyphs,
      colour: output.hasColors(),
      printable: (text) => {
        const safe = escapeControls(redactor.text(text));
        return hasGlyphs ? safe : asciiOf(safe);
      },
    };
    if (kind === 'line' || terminal.isDumb) return linePrompts(terminal);
    const { clackPrompts } = await import('./clack-prompts.ts');
    return clackPrompts(terminal);
  };
}

/**
 * Reads what is piped in, of at most `maxBytes`; undefined: there is more. Throws CONFIG_INVALID for a terminal, which would show
 * what is typed.
 */
export async function readPiped(input: ReadStream, maxBytes: number): Promise<string | undefined> {
  if (input.isTTY)
    throw new AgentError('CONFIG_INVALID', 'standard input is a terminal, which would show what is typed', {
      hint: 'pipe it in, or let it be asked for where stderr is the terminal too',
    });
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const all: AsyncIterable<string | Uint8Array> = input;
  for await (const piece of all) {
    const next = typeof piece === 'string' ? Buffer.from(piece) : piece;
    bytes += next.length;
    if (bytes > maxBytes) return undefined;
    pieces.push(next);
  }
  return Buffer.concat(pieces).toString('utf8');
}
