import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { releaseNotes } from '../../../scripts/docs/changelog.ts';
import { ROOT } from '../../../scripts/docs/documents.ts';
import { readDocument } from '../../support/docs/markdown.ts';

test('the changelog has between ten and thirty lines about the version of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { version } = z.object({ version: z.string() }).parse(manifest);
  const lines = releaseNotes(readDocument('CHANGELOG.md').text, version)?.split('\n') ?? [];
  expect(lines.length).toBeGreaterThanOrEqual(10);
  expect(lines.length).toBeLessThanOrEqual(30);
});

test('the release notes of a version are its section alone', () => {
  const changelog = '# Changelog\n\n## [0.2.0] - 2027-01-01\n\n- new\n\n## [0.1.0] - 2026-11-26\n\n- first\n';
  expect(releaseNotes(changelog, '0.2.0')).toBe('- new\n');
  expect(releaseNotes(changelog, '0.1.0')).toBe('- first\n');
  expect(releaseNotes(changelog, '0.1')).toBeUndefined();
});
