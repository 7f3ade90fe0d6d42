import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PageFile } from './page-file.ts';

/** Where the page's own files are: sources in a checkout, in a package what its build has made of them. */
const OWN = join(import.meta.dirname, '../web');

/** What the page takes from packages, by what its files import or name. */
const LIBRARIES = {
  preact: { file: 'preact', path: '/page/lib/preact.js' },
  'preact/hooks': { file: 'preact/hooks', path: '/page/lib/preact-hooks.js' },
  htm: { file: 'htm', path: '/page/lib/htm.js' },
  // A third of its main module, which is not minified; as a script it only sets a variable.
  uplot: { file: 'uplot/dist/uPlot.iife.min.js', path: '/page/lib/uplot.js', exports: 'uPlot' },
} as const;

/** What is asked for with the page itself; plots come after the first sight. */
const LATER = /\/lib\/uplot\.|\.css$|\.svg$|^\/$/;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};

/** Every file of the page by its path, such as `/page/main.js`; `/` is the page itself. Nothing else is served. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  return existsSync(join(OWN, 'main.ts')) ? sourceFiles() : builtFiles(OWN);
}

/** The files of a page that was built: a few, each beside what brotli made of it. */
export function builtFiles(directory: string): ReadonlyMap<string, PageFile> {
  const names = readdirSync(directory).filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(
    names.map((name) => {
      const [content, brotli] = [name, `${name}.br`].map((file) => readFileSync(join(directory, file)));
      const path = name === 'index.html' ? '/' : `/page/${name}`;
      return [path, new PageFile(TYPES[extname(name)] ?? '', content ?? '', brotli)];
    }),
  );
}

/** The sources, of which a browser gets each by itself: so nobody has to build anything to see a change. */
function sourceFiles(): ReadonlyMap<string, PageFile> {
  const texts = new Map<string, string>();
  for (const entry of readdirSync(OWN, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    const path = `/page${file.slice(OWN.length)}`.replace(/\.ts$/, '.js');
    if (TYPES[extname(path)] === undefined) continue;
    const content = readFileSync(file, 'utf8');
    texts.set(path === '/page/index.html' ? '/' : path, extname(path) === '.js' ? script(content) : content);
  }
  for (const { file, path, ...more } of Object.values(LIBRARIES)) {
    const text = readFileSync(fileURLToPath(import.meta.resolve(file)), 'utf8');
    const module = 'exports' in more ? `${text}\nexport default ${more.exports};\n` : text;
    texts.set(path, withLibraries(module.replace(/^\/\/# sourceMappingURL=.*$/m, '')));
  }
  texts.set('/', withPreloads(texts.get('/') ?? '', [...texts.keys()]));
  return new Map(
    [...texts].map(([path, text]) => [path, new PageFile(TYPES[extname(path) || '.html'] ?? '', text)]),
  );
}

/** What a browser runs: without types, and with paths in place of the names of libraries. */
function script(content: string): string {
  return withLibraries(
    stripTypeScriptTypes(content).replace(/((?:from|import)\s*\(?'\.[^']*)\.ts'/g, "$1.js'"),
  );
}

function withLibraries(content: string): string {
  const names = Object.keys(LIBRARIES).join('|');
  return content.replace(
    new RegExp(`(\\b(?:from|import)\\s*\\(?)(['"])(${names})\\2`, 'g'),
    (all, before: string, quote: string, name: string) =>
      name in LIBRARIES ? `${before}${quote}${pathOf(name)}${quote}` : all,
  );
}

function pathOf(name: string): string {
  return Object.entries(LIBRARIES).find(([known]) => known === name)?.[1].path ?? name;
}

/** A browser learns of a module only when it has read the one that imports it; from elsewhere each step costs a round trip. */
function withPreloads(html: string, paths: readonly string[]): string {
  const links = paths
    .filter((path) => !LATER.test(path))
    .map((path) => `<link rel="modulepreload" href="${path}">`);
  return html.replace('</head>', `${links.join('')}</head>`);
}
