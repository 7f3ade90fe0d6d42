import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './docs/documents.ts';
import { buildPage } from './page/build-page.ts';

/* A part of `npm run build`: the page's files in `dist/web/`. */

const directory = join(ROOT, 'dist/web');
mkdirSync(directory, { recursive: true });
for (const [name, content] of await buildPage()) writeFileSync(join(directory, name), content);
