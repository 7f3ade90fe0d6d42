/** A value that an option cannot take: what is wrong with it, and what to write instead. */
export class BadValue extends Error {
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(problem);
    this.name = 'BadValue';
    this.hint = hint;
  }
}

/** How the text of an option becomes its value, wherever it was written. */
export type ValueType<T> = {
  /** What stands for the value in help and tables: `DURATION`. */
  readonly metavar: string;
  /** Whether there may be several: a repeated flag, a list in the file, commas between them elsewhere. */
  readonly many: boolean;
  /** Reads what was written. Throws BadValue. */
  read(written: readonly string[]): T;
  /** The value as `check` shows it; reading that again gives the same value. */
  show(value: T): string;
  /** What the owner should know about a value that is allowed all the same. */
  warn?(value: T): string | undefined;
};

/** A type of one value, made from how to read it and how to show it. */
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

/** A type of several values of one kind. The order is kept, what is written twice counts once. */
export function list<T extends string>(item: ValueType<T>): ValueType<readonly T[]> {
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

/** A value in quotes for a message: control characters escaped, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
