import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { transform } from 'lightningcss';
import { build } from 'rolldown';
import { ROOT } from '../docs/documents.ts';

const SOURCES = join(ROOT, 'src/web');

/** The files of the page as a package has them, by name. */
export type BuiltPage = ReadonlyMap<string, Uint8Array>;

/**
 * Makes one small module of the page, and one that plots need later; one style sheet of those that its HTML names. Beside each
 * is what brotli makes of it, which would take too long at the first sight.
 */
export async function buildPage(): Promise<BuiltPage> {
  const html = readFileSync(join(SOURCES, 'index.html'), 'utf8');
  const styles = [...html.matchAll(/ *<link rel="stylesheet" href="\/page\/([^"]+)" \/>\n/g)];
  const css = styles.map(([, name = '']) => readFileSync(join(SOURCES, name), 'utf8')).join('\n');
  const style = transform({ filename: 'style.css', code: Buffer.from(css), minify: true });
  const { output } = await build({
    input: { main: join(SOURCES, 'main.ts') },
    resolve: { alias: { uplot: 'uplot/dist/uPlot.esm.js' } },
    output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', minify: true },
    write: false,
    logLevel: 'warn',
  });
  const texts = new Map<string, string>([
    ['index.html', withOneStyle(html, styles)],
    ['style.css', style.code.toString()],
    ['icon.svg', readFileSync(join(SOURCES, 'icon.svg'), 'utf8')],
    ...output.map((part): [string, string] => [part.fileName, part.type === 'chunk' ? part.code : '']),
  ]);
  return new Map(
    [...texts].flatMap(([name, text]): [string, Uint8Array][] => [
      [name, Buffer.from(text)],
      [`${name}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })],
    ]),
  );
}

function withOneStyle(html: string, styles: readonly RegExpMatchArray[]): string {
  const [first, ...others] = styles.map(([line]) => line);
  const one = others.reduce((text, line) => text.replace(line, ''), html);
  return one.replace(first ?? '', '    <link rel="stylesheet" href="/page/style.css" />\n');
}
