import type { ReadStream, WriteStream } from 'node:tty';

/** Glyphs of the dialogue, whose library looks at TERM and not at the locale, and of texts. */
const ASCII: Readonly<Record<string, string>> = {
  '◆': '*',
  '◇': 'o',
  '■': 'x',
  '▲': '!',
  '┌': '+',
  '│': '|',
  '└': '+',
  '├': '+',
  '╮': '+',
  '╯': '+',
  '─': '-',
  '●': '>',
  '○': ' ',
  '•': '-',
  '█': '_',
  '↑': 'Up',
  '↓': 'Down',
  '’': "'",
  '“': '"',
  '”': '"',
  '…': '...',
};

/** A terminal on which a person answers. */
export type Terminal = {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Whether its cursor cannot be moved (`TERM=dumb`). */
  readonly isDumb: boolean;
  /** Whether it shows more than ASCII, by its locale. */
  readonly hasUnicode: boolean;
  readonly colour: boolean;
  /** Makes a text safe to show: without secrets and control characters. */
  readonly printable: (text: string) => string;
};

/** Whether the terminal is one that only prints. */
export function isDumb(term: string | undefined): boolean {
  return term === undefined || term === '' || term === 'dumb';
}

/** Whether the locale's characters are those of Unicode; the variable that counts is the first that is set. */
export function hasUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  // Linux’s own console has few glyphs.
  return /utf-?8/i.test(locale ?? '') && env['TERM'] !== 'linux';
}

/** A text for a terminal that shows only ASCII. */
export function asciiOf(text: string): string {
  return text.replace(/\P{ASCII}/gu, (glyph) => ASCII[glyph] ?? '?');
}
