import { BANNED, type Banned, EXCEPTIONS } from './banned.ts';

/** A banned word in a file; `line` counts from 1, 0 is the file's own name. */
export type Finding = {
  readonly file: string;
  readonly line: number;
  readonly word: string;
  readonly write: string;
  readonly why: string;
};

/** The banned words of a text and of its file's name, which decides whether the text is code. Pure. */
export function findBanned(file: string, text: string): readonly Finding[] {
  const isCode = !file.endsWith('.md');
  const rules = RULES.filter(({ entry }) => isCode || entry.only !== 'code');
  // The name is line 0.
  const content = `${file}\n${text}`;
  return rules.flatMap(({ entry: { why, write }, pattern, word }) => {
    const found = Array.from(content.matchAll(pattern), ({ 0: text, index }) => {
      const line = content.slice(0, index).split('\n').length - 1;
      return { file, line, word: word ?? text, write, why };
    });
    return found.filter((finding) => !isException(file, finding.word));
  });
}

/** Between two words of a phrase: a space, a hyphen, an underscore, or a line break with the mark of a comment. */
const GAP = String.raw`(?:[ \t_-]+|[ \t]*\n[ \t]*(?:\*|\/\/|#)?[ \t]*)`;

type Rule = { readonly entry: Banned; readonly word: string | undefined; readonly pattern: RegExp };

const RULES: readonly Rule[] = BANNED.flatMap((entry) =>
  entry.words.map((word) =>
    typeof word === 'string'
      ? { entry, word, pattern: patternOf(word) }
      : { entry, word: undefined, pattern: new RegExp(word, 'g') },
  ),
);

/** A word alone, at the start of an identifier, as a capitalised part of one, or in capitals; and so for phrases. */
function patternOf(phrase: string): RegExp {
  const words = phrase.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).split(' ');
  const capitals = words.map(capitalised);
  const [first = '', ...rest] = words;
  const forms = [
    `(?<![A-Za-z])${words.join(GAP)}(?!-?[a-z])`,
    `${[capitalised(first), ...rest].join(GAP)}(?!-?[a-z])`,
    `(?<![A-Za-z])${[first, ...capitals.slice(1)].join('')}(?!-?[a-z])`,
    `${capitals.join('')}(?!-?[a-z])`,
    `(?<![A-Za-z])${words.map((word) => word.toUpperCase()).join(GAP)}(?![A-Za-z])`,
  ];
  return new RegExp(forms.join('|'), 'g');
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

function isException(file: string, word: string): boolean {
  return EXCEPTIONS.some(
    (exception) => file.startsWith(exception.file) && (exception.word === '*' || exception.word === word),
  );
}
