import { pino, stdTimeFunctions } from 'pino';
import { describeError } from './describe-error.ts';
import { prettyLine } from './pretty-line.ts';
import type { Redactor } from './redactor.ts';

/**
 * What a line carries beside its message: `event`, its stable name in kebab-case, and values with their unit in the
 * name. `err` may be an error; its code, message, hint and causes are logged.
 */
export type Fields = { readonly event: string } & Readonly<Record<string, unknown>>;

/** The agent's log. `debug` is for developers; `warn` needs the owner's attention. */
export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}

/** The minimum level of the lines that are written. */
export type LogLevel = keyof Log;

/** Writes text at once. */
export type Destination = { write(text: string): void };

/** The width of a line for people: it still reads well, and fits most terminals. */
export const MAX_COLUMNS = 100;

/**
 * Makes a log that writes each line at once: JSON for programs (`level`, `time` in ISO 8601, the fields, `msg`) or text
 * for people, at most `columns` wide. No line contains a secret of the redactor.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly colour: boolean;
  readonly columns?: number;
  readonly destination: Destination;
  readonly redactor: Redactor;
}): Log {
  const { level, format, colour, columns = MAX_COLUMNS, destination, redactor } = options;
  const style = { colour, columns: Math.min(columns, MAX_COLUMNS) };
  const write = (line: string) => {
    const safe = redactor.line(line);
    destination.write(format === 'json' ? safe : prettyLine(safe, style));
  };
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    { write },
  );
}
