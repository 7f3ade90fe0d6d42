import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { releaseNotes } from './docs/changelog.ts';
import { ROOT } from './docs/documents.ts';

/* Prints the changelog's section of the version in package.json. `npm version` runs it, and stops if there is none. */

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));
const notes = releaseNotes(read('CHANGELOG.md'), version);
process.stdout.write(notes ?? `CHANGELOG.md has no section for ${version}\n`);
process.exitCode = notes === undefined ? 1 : 0;
