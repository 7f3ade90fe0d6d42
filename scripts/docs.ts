import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findDocuments, ROOT } from './docs/documents.ts';
import { fillIn } from './docs/fill-in.ts';
import { PARTS } from './docs/parts.ts';
import { DASHBOARD, dashboardText } from './monitoring/dashboard.ts';

/* `npm run docs`: regenerates the tables of all documents, and the dashboard for Grafana. */

for (const document of await findDocuments()) {
  const path = join(ROOT, document);
  const before = await readFile(path, 'utf8');
  const after = fillIn(before, PARTS);
  if (after === before) continue;
  await writeFile(path, after);
  process.stdout.write(`${document} updated\n`);
}
await writeFile(join(ROOT, DASHBOARD), dashboardText());
