import { buildDeb } from './deb/build.ts';
import { ROOT } from './docs/documents.ts';

/* `npm run deb`: the Debian package, from `dist/`; its path is the last line that it prints. */

process.stdout.write(`${await buildDeb(ROOT)}\n`);
