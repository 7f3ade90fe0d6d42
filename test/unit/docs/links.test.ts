import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/docs/documents.ts';
import {
  anchorsOf,
  type Document,
  linksOf,
  readDocument,
  readDocuments,
} from '../../support/docs/markdown.ts';

const documents = await readDocuments();

/** Where a reader may be sent outside the project. */
const OTHER_SITES: ReadonlySet<string> = new Set([
  'gvisor.dev',
  'keepachangelog.com',
  'ntfy.sh',
  'prometheus.io',
  'semver.org',
]);

/** Why a link leads nowhere; undefined: it leads somewhere. */
function whyBroken(document: Document, target: string): string | undefined {
  if (/^[a-z]+:/.test(target)) {
    const { host, protocol } = new URL(target);
    return protocol === 'https:' && OTHER_SITES.has(host)
      ? undefined
      : 'not a site that the documents link to';
  }
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? document.path : normalize(join(dirname(document.path), file));
  if (path.startsWith('..') || !existsSync(join(ROOT, path))) return 'no such file';
  if (anchor === undefined) return undefined;
  return anchorsOf(readDocument(path).text).has(anchor) ? undefined : 'no such heading';
}

describe('links', () => {
  test('the documents are found, with links in them', () => {
    expect(documents.map(({ path }) => path)).toContain('README.md');
    expect(linksOf(readDocument('README.md').text).length).toBeGreaterThan(5);
  });

  test.each(documents)('of $path lead somewhere', (document) => {
    const broken = linksOf(document.text).flatMap((target) => {
      const why = whyBroken(document, target);
      return why === undefined ? [] : [`${target}: ${why}`];
    });
    expect(broken).toEqual([]);
  });

  test.each([
    ['nowhere.md', 'no such file'],
    ['../outside.md', 'no such file'],
    ['README.md#nothing-of-the-kind', 'no such heading'],
    ['#nothing-of-the-kind', 'no such heading'],
    ['README.md#install', undefined],
    ['https://elsewhere.example/', 'not a site that the documents link to'],
  ])('the check sees what is wrong with %s', (target, why) => {
    expect(whyBroken(readDocument('README.md'), target)).toBe(why);
  });

  test('headings that come twice have anchors of their own', () => {
    expect([...anchorsOf('# A job’s way!\n\n## A `b` c\n\n## A b c\n\n```sh\n# no heading\n```\n')]).toEqual([
      'a-jobs-way',
      'a-b-c',
      'a-b-c-1',
    ]);
  });
});
