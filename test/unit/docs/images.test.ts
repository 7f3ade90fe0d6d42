import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KEEP_REASONS } from '../../../src/domain/image-eviction.ts';

test('every reason for which an image stays is documented, and no other one', () => {
  const rows = readFileSync('docs/images.md', 'utf8').matchAll(/^\| `([a-z-]+)` \|/gm);
  expect([...rows].map(([, reason]) => reason)).toEqual(Object.keys(KEEP_REASONS));
});
