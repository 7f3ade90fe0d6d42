/** A removed protection: `text` occurs once in `file`, and with `becomes` in its place the test must fail. */
export type Mutation = {
  /** What is protected, in a few words. */
  readonly protection: string;
  readonly file: string;
  readonly text: string;
  readonly becomes: string;
  readonly test: {
    readonly file: string;
    /** The end of the test's name as it is written in its file, or in the row of its table that gives the name. */
    readonly name: string;
  };
};

/** A mutation as a row of a table. */
export type MutationRow = readonly [
  protection: string,
  file: string,
  text: string,
  becomes: string,
  test: string,
  name: string,
];

export function mutationsOf(rows: readonly MutationRow[]): readonly Mutation[] {
  return rows.map(([protection, file, text, becomes, test, name]) => ({
    protection,
    file,
    text,
    becomes,
    test: { file: test, name },
  }));
}

/** The file's content without the protection. Throws unless its text occurs exactly once. */
export function mutate(content: string, { file, text, becomes }: Mutation): string {
  const [before, after, ...more] = content.split(text);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${file} does not have this exactly once: ${text}`);
  return `${before}${becomes}${after}`;
}

/** A pattern of a test's name, in which `%s` and the like match any value of its table. */
export function namePattern(name: string): RegExp {
  const parts = name.split(/%[sdijo]/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'));
}
