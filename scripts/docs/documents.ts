import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

/** The repository's root. */
export const ROOT = resolve(import.meta.dirname, '../..');

const NOT_OURS: ReadonlySet<string> = new Set(['node_modules', 'dist', 'out', 'coverage']);

/** The paths of all Markdown files, relative to the root. */
export async function findDocuments(directory: string = ROOT): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      return NOT_OURS.has(entry.name) || entry.name.startsWith('.') ? [] : findDocuments(path);
    }
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
  });
  return (await Promise.all(found)).flat().sort();
}
