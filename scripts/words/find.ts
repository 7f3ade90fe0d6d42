import { BANNED, type Banned, EXCEPTIONS } from './banned.ts';

/** A banned word in a file; `line` counts from 1. */
export type Finding = {
  readonly file: string;
  readonly line: number;
  readonly word: string;
  readonly write: string;
  readonly why: string;
};

/** The banned words of a text. Pure. `file` decides which exceptions count and whether the text is code. */
export function findBanned(file: string, text: string): readonly Finding[] {
  const rules = file.endsWith('.md') ? RULES.filter(({ entry }) => entry.only !== 'code') : RULES;
  return text.split('\n').flatMap((content, index) =>
    rules.flatMap(({ entry, pattern, word }): readonly Finding[] => {
      if (!pattern.test(content) || entry.unless?.test(content) || isException(file, word)) return [];
      return [{ file, line: index + 1, word, write: entry.write, why: entry.why }];
    }),
  );
}

type Rule = { readonly entry: Banned; readonly word: string; readonly pattern: RegExp };

const RULES: readonly Rule[] = BANNED.flatMap((entry) =>
  entry.words.map((word) => ({ entry, word, pattern: patternOf(word) })),
);

/** A phrase as written; a word in a sentence, at the start of an identifier, or as a camelCase part of one. */
function patternOf(word: string): RegExp {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (/[^a-z]/.test(word)) return new RegExp(`(?<![a-z])${escaped.replaceAll(' ', '\\s+')}(?![a-z])`, 'i');
  const capital = `${escaped.charAt(0).toUpperCase()}${escaped.slice(1)}`;
  return new RegExp(
    `(?<![A-Za-z])${escaped}(?![a-z])|${capital}(?![a-z])|(?<![A-Za-z])${escaped.toUpperCase()}(?![A-Za-z])`,
  );
}

function isException(file: string, word: string): boolean {
  return EXCEPTIONS.some(
    (exception) => file.startsWith(exception.file) && (exception.word === '' || exception.word === word),
  );
}
