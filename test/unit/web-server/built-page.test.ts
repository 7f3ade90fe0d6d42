import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type BuiltPage, buildPage } from '../../../scripts/page/build-page.ts';
import { builtFiles } from '../../../src/web-server/page-files.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

/** All that a browser gets of the page, compressed. */
const MOST_BYTES = 60_000;

function written(page: BuiltPage): string {
  const directory = scratchDir();
  for (const [name, content] of page) writeFileSync(join(directory, name), content);
  return directory;
}

test('the page of a package has at most 60 kB, compressed', async () => {
  const page = await buildPage();
  const bytes = [...page].filter(([name]) => name.endsWith('.br')).map(([, content]) => content.length);
  expect(bytes.length).toBeGreaterThan(4);
  expect(bytes.reduce((sum, some) => sum + some)).toBeLessThanOrEqual(MOST_BYTES);
});

test('the page of a package has every file that it names, and their compressed forms are the same', async () => {
  const files = builtFiles(written(await buildPage()));
  const html = (await files.get('/')?.encoded('identity'))?.toString() ?? '';
  const named = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path);
  expect(named.toSorted()).toEqual(['/page/icon.svg', '/page/main.js', '/page/style.css']);
  const main = (await files.get('/page/main.js')?.encoded('identity'))?.toString() ?? '';
  const parts = [...main.matchAll(/import\(["`]\.\/([^"`]+)["`]\)/g)].map(([, name]) => `/page/${name}`);
  expect(parts.length).toBeGreaterThan(0);
  expect([...files.keys()]).toEqual(expect.arrayContaining([...named, ...parts]));
  for (const file of files.values())
    expect(brotliDecompressSync(await file.encoded('br'))).toEqual(await file.encoded('identity'));
});
