import { createLog, type Log } from '../../../src/lib/log.ts';
import { Redactor } from '../../../src/lib/redactor.ts';

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
