import { pino, stdTimeFunctions } from 'pino';
import { boundLine } from './bound-line.ts';
import { LogRate } from './log-rate.ts';
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
 * for people, at most `columns` wide. No line contains a secret of the redactor. Lines have a limited length, and those of
 * one event a limited rate. `now`: a clock in milliseconds that never goes back.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly colour: boolean;
  readonly columns?: number;
  readonly destination: Destination;
  readonly redactor: Redactor;
  readonly now?: () => number;
}): Log {
  const { level, format, colour, columns = MAX_COLUMNS, destination, redactor } = options;
  const { now = () => performance.now() } = options;
  const style = { colour, columns: Math.min(columns, MAX_COLUMNS) };
  const writeText = (line: string) => {
    const safe = redactor.line(line);
    destination.write(format === 'json' ? safe : prettyLine(safe, style));
  };
  const lines = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // An error is described before it is bounded; pino would describe the description again.
      serializers: { err: (described: unknown) => described },
    },
    { write: writeText },
  );
  const write = (of: LogLevel, fields: Fields, message: string): void => {
    const line = boundLine({ fields, message }, (text) => redactor.text(text));
    lines[of](line.fields, line.message);
  };
  const rate = new LogRate(now);
  const limited =
    (of: LogLevel) =>
    (fields: Fields, message: string): void => {
      if (!lines.isLevelEnabled(of)) return;
      if (rate.allows(fields.event)) write(of, fields, message);
      for (const [event, omitted] of rate.countOmitted()) {
        const counted = { event: 'log-lines-omitted', of: event, lines: omitted };
        write('warn', counted, `${omitted} lines of the event ${event} omitted`);
      }
    };
  return { debug: limited('debug'), info: limited('info'), warn: limited('warn'), error: limited('error') };
}
