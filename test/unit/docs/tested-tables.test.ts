import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROOT } from '../../../scripts/docs/documents.ts';
import { readDocument } from '../../support/docs/markdown.ts';

/** The version that is being made, which has no section of its own in the changelog yet. */
const NEXT = '0.2.0';
const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const VERSIONS: ReadonlySet<string> = new Set([
  NEXT,
  z.object({ version: z.string() }).parse(manifest).version,
  ...[...readDocument('CHANGELOG.md').text.matchAll(/^## \[(\d[^\]]*)\]/gm)].map(
    ([, version]) => version ?? '',
  ),
]);

const HEAD = /^\| (?:situation|attack) +\| what the agent does +\| since +\| tested by +\|$/m;

/** The cells of each row; `\\|` does not separate cells. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[ :|-]+$/.test(line) && !HEAD.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

const PATH = /(?:test|scripts|bench)\/[\w./-]*\w/g;

/** Why a row is not of the shape that the page says; undefined: it is. */
function whyOdd(row: readonly string[]): string | undefined {
  const [, , since = '', tests = ''] = row;
  if (row.length !== 4 || row.includes('')) return 'not four cells';
  if (!VERSIONS.has(since)) return `no version ${since}`;
  const paths = tests.match(PATH) ?? [];
  if (paths.length === 0) return 'no test';
  const missing = paths.filter((path) => !existsSync(join(ROOT, path)));
  return missing.length === 0 ? undefined : `no file ${missing.join(', ')}`;
}

describe.each(['docs/hosts.md', 'docs/attacks.md'])('%s', (page) => {
  const { text } = readDocument(page);
  const rows = rowsOf(text);

  test('has sections with the same table each', () => {
    const sections = text.split(/^## /m).slice(1);
    expect(sections.length).toBeGreaterThan(3);
    for (const section of sections) expect(section).toMatch(HEAD);
  });

  test('says of each situation what the agent does, since when, and which test shows it', () => {
    const odd = rows.flatMap((row) => whyOdd(row) ?? []);
    expect(odd).toEqual([]);
  });

  test('has each situation once', () => {
    const situations = rows.map(([situation]) => situation);
    expect(situations.filter((one, index) => situations.indexOf(one) !== index)).toEqual([]);
  });
});

test('the check sees what is wrong with a row', () => {
  const path = 'test/unit/docs/tested-tables.test.ts';
  expect(whyOdd(['a', 'b', NEXT, path])).toBeUndefined();
  expect(whyOdd(['a', 'b', NEXT, `\`${path}\` (stand-in)`])).toBeUndefined();
  expect(whyOdd(['a', 'b', NEXT])).toBe('not four cells');
  expect(whyOdd(['a', '', NEXT, path])).toBe('not four cells');
  expect(whyOdd(['a', 'b', '9.9.9', path])).toBe('no version 9.9.9');
  expect(whyOdd(['a', 'b', NEXT, 'by hand'])).toBe('no test');
  expect(whyOdd(['a', 'b', NEXT, 'test/none.test.ts'])).toBe('no file test/none.test.ts');
});
