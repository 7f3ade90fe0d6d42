import { writeSync } from 'node:fs';
import { openJournal } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { takeStep } from './lifecycle.ts';

// Writes the lifecycle into the journal of argv[2] from step argv[3] on, with a line on stdout after each accepted step,
// until it is killed or a step fails; then the last line is the error's code.
const [, , directory = '', from = '0'] = process.argv;
// Referenced to the end, because a garbage-collected lock releases the file's lock.
const stateDir = openStateDir(directory);
const journal = openJournal(stateDir, 'https://broker.example/', systemClock);
try {
  for (let step = Number(from); ; step += 1) {
    takeStep(journal, step);
    writeSync(1, `${step + 1}\n`);
  }
} catch (cause) {
  writeSync(1, `${cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)}\n`);
} finally {
  stateDir.close();
}
