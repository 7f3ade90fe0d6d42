import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findBanned } from './words/find.ts';

/* Finds words that this project does not use: `node scripts/words.ts [PATH...]`; exit code 1 where there are any. */

const OTHERS_TEXT = ['package-lock.json', 'LICENSE'];

const asked = process.argv.slice(2);
const tracked = execFileSync('git', ['ls-files', '-z', '--', ...asked], { encoding: 'utf8' });
const findings = tracked
  .split('\0')
  .filter((file) => file !== '' && !OTHERS_TEXT.includes(file))
  .flatMap((file) => findBanned(file, readFileSync(file, 'utf8')));
for (const { file, line, why, word, write } of findings)
  process.stdout.write(`${file}:${line}: "${word}": write ${write} (${why})\n`);
process.stdout.write(`${findings.length} banned words\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
