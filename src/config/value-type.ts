/** The error for an invalid value, with a hint about what to write instead. */
export class BadValue extends Error {
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(problem);
    this.name = 'BadValue';
    this.hint = hint;
  }
}

/** How an option's text is parsed and shown. */
export type ValueType<T> = {
  /** The placeholder in help and tables: `DURATION`. */
  readonly metavar: string;
  /** Whether it takes several values: a repeated flag, a list in the file, or separated by commas. */
  readonly many: boolean;
  /** What a flag says that stands without a value; absent: it needs one. */
  readonly bare?: string;
  /** Parses the texts. Throws BadValue. */
  read(written: readonly string[]): T;
  /** The value for `check`; parsing it gives the same value. */
  show(value: T): string;
  /** A warning about a valid but risky value. */
  warn?(value: T): string | undefined;
};

/** A type of a single value. */
export function single<T>(type: {
  readonly metavar: string;
  readonly parse: (text: string) => T;
  readonly show?: (value: T) => string;
  readonly warn?: (value: T) => string | undefined;
}): ValueType<T> {
  return {
    metavar: type.metavar,
    many: false,
    read: (written) => {
      const [text, ...more] = written;
      if (text === undefined || more.length > 0)
        throw new BadValue(`takes one value and was given ${written.length}`, 'write a single value');
      return type.parse(text.trim());
    },
    show: type.show ?? String,
    ...(type.warn === undefined ? {} : { warn: type.warn }),
  };
}

/** A type of several values in their order, without duplicates. */
export function list<T extends string | number>(item: ValueType<T>): ValueType<readonly T[]> {
  return {
    metavar: `${item.metavar},...`,
    many: true,
    read: (written) => {
      const texts = written.flatMap((text) => text.split(',')).map((text) => text.trim());
      return [...new Set(texts.filter((text) => text !== '').map((text) => item.read([text])))];
    },
    show: (values) => values.map((value) => item.show(value)).join(','),
    warn: (values) => {
      const warnings = values.flatMap((value) => item.warn?.(value) ?? []);
      return warnings.length === 0 ? undefined : warnings.join('; ');
    },
  };
}

/** A value in quotes for a message, escaped and shortened. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
