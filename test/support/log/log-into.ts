import { z } from 'zod';
import { createLog, type Log } from '../../../src/lib/log.ts';
import { Redactor } from '../../../src/lib/redactor.ts';

const RECORD = z.record(z.string(), z.unknown());

/** A log whose every line ends up in `lines`, as JSON. */
export function logInto(lines: string[]): Log {
  return createLog({
    level: 'debug',
    format: 'json',
    colour: false,
    destination: { write: (line) => void lines.push(line) },
    redactor: new Redactor(),
  });
}

/** The lines of a JSON log that have this `event`, with all their fields. */
export function logged(
  lines: readonly string[],
  event: string,
): readonly Readonly<Record<string, unknown>>[] {
  return lines.map((line) => RECORD.parse(JSON.parse(line))).filter((record) => record['event'] === event);
}
