import { pino, stdTimeFunctions } from 'pino';
import { describeError } from './describe-error.ts';
import { prettyLine } from './pretty-line.ts';
import type { Redactor } from './redactor.ts';

/** What a line carries beside its message. `err` may be an error: its code, message, hint and causes are shown. */
export type Fields = Readonly<Record<string, unknown>>;

/** Where the agent says what it does. `debug` is for developers, `warn` for what the owner should look at. */
export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}

/** How important a line must be to be written. */
export type LogLevel = keyof Log;

/** Takes text as it comes, at once. */
export type Destination = { write(text: string): void };

/**
 * Makes a log that writes each line at once: JSON for machines (`level`, `time` in ISO 8601, the fields, `msg`) or a
 * line for people. No line shows what the redactor knows.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly colour: boolean;
  readonly destination: Destination;
  readonly redactor: Redactor;
}): Log {
  const { level, format, colour, destination, redactor } = options;
  const write = (line: string) => {
    const safe = redactor.line(line);
    destination.write(format === 'json' ? safe : prettyLine(safe, colour));
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
