import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/docs/documents.ts';
import { blocksOf, readDocument } from '../../support/docs/markdown.ts';

const readme = readDocument('README.md').text;

/** The lines of the README's tree below `src/`: what is there, and what is said of it. */
function treeInReadme(): readonly (readonly [path: string, words: string])[] {
  const block = blocksOf(readme, 'text').find((text) => text.startsWith('src/\n'));
  return (block ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [, path = '', words = ''] = /^ {2}(\S+)(?: +(.*))?$/.exec(line) ?? [];
      return [path, words] as const;
    });
}

/** All folders below `src`, and the files right in it. */
function treeOfSource(): readonly string[] {
  const entries = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => {
    const folder = entry.parentPath.slice(join(ROOT, 'src').length + 1);
    if (entry.isDirectory()) return [`${join(folder, entry.name)}/`];
    return folder === '' ? [entry.name] : [];
  });
}

describe('the README', () => {
  test('starts with the two commands, alone in their blocks', () => {
    const firstScreen = readme.split('\n').slice(0, 25).join('\n');
    expect(blocksOf(firstScreen, 'sh')).toEqual(['npm ci && npm run dry-run\n', 'npm ci && npm test\n']);
  });

  test('shows the tree of src as it is', () => {
    const paths = treeInReadme().map(([path]) => path);
    expect([...paths].sort()).toEqual([...treeOfSource()].sort());
    expect(new Set(paths).size).toBe(paths.length);
  });

  test('has a line for everything in the tree', () => {
    expect(treeInReadme().filter(([, words]) => words.length < 10)).toEqual([]);
  });
});
