import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file that the page consists of. */
export type PageFile = { readonly type: string; readonly content: string };

/** Where the page's own files are: sources in a checkout, what they were compiled to in a package. */
const OWN = join(import.meta.dirname, '../web');

/** The libraries of the page: what its files import, and the module that is served for it. */
const LIBRARIES = {
  preact: 'preact',
  'preact/hooks': 'preact/hooks',
  htm: 'htm',
  // Its main module is not one that a browser could load.
  uplot: 'uplot/dist/uPlot.esm.js',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};

/** Every file of the page by its path, such as `/page/main.js`; `/` is the page itself. Nothing else is served. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const entry of readdirSync(OWN, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name.endsWith('.d.ts')) continue;
    const path = `/page${file.slice(OWN.length)}`.replace(/\.ts$/, '.js');
    const content = readFileSync(file, 'utf8');
    const type = TYPES[extname(path)];
    if (type !== undefined) files.set(path, { type, content: script(path, file, content) });
  }
  for (const [name, module] of Object.entries(LIBRARIES)) {
    const file = fileURLToPath(import.meta.resolve(module));
    const content = withLibraries(readFileSync(file, 'utf8'));
    files.set(libraryPath(name), { type: TYPES['.js'] ?? '', content });
  }
  const index = files.get('/page/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}

/** What a browser runs: without types, and with paths in place of the names of libraries. */
function script(path: string, file: string, content: string): string {
  if (extname(path) !== '.js') return content;
  if (extname(file) !== '.ts') return withLibraries(content);
  return withLibraries(stripTypeScriptTypes(content).replace(/(from '\.[^']*)\.ts'/g, "$1.js'"));
}

function withLibraries(content: string): string {
  const names = Object.keys(LIBRARIES).join('|');
  return content.replace(
    new RegExp(`(\\b(?:from|import)\\s*\\(?)(['"])(${names})\\2`, 'g'),
    (_all, before: string, quote: string, name: string) => `${before}${quote}${libraryPath(name)}${quote}`,
  );
}

function libraryPath(name: string): string {
  return `/page/lib/${name.replace('/', '-')}.js`;
}
