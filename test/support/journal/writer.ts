import { writeSync } from 'node:fs';
import { openJournal } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { takeStep } from './lifecycle.ts';

/*
 * Writes the lifecycle into the journal of argv[2] from step argv[3] on, and one line to stdout after each step that
 * the journal has taken, until it is killed or a step fails; then that error's code is the last line.
 */
const [, , directory = '', from = '0'] = process.argv;
// Kept to the end: a lock that nobody holds any more is collected, and with it the file's lock.
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
