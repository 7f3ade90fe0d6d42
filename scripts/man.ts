import { manPage } from './man/page.ts';

/* Prints the man page, for `dist/`. */

process.stdout.write(manPage());
