import { chownSync, lchownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foreignAccess, foreignAccessTo } from '../../../src/lib/foreign-access.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

test.each([
  { owner: 1000, mode: 0o600, uid: 1000, hint: undefined },
  { owner: 0, mode: 0o644, uid: 1000, hint: undefined },
  { owner: 1000, mode: 0o600, uid: 0, hint: 'chown 0 /file' },
  { owner: 1001, mode: 0o600, uid: 1000, hint: 'chown 1000 /file' },
  { owner: 1000, mode: 0o620, uid: 1000, hint: 'chmod go-w /file' },
  { owner: 0, mode: 0o602, uid: 1000, hint: 'chmod go-w /file' },
])('a file of $owner with mode $mode, for $uid: $hint', ({ hint, mode, owner, uid }) => {
  expect(foreignAccess('/file', { mode, uid: owner }, uid)?.hint).toBe(hint);
});

describe.skipIf(process.getuid?.() !== 0)('a link (needs root)', () => {
  test('counts with its own owner, and with that of what it leads to', () => {
    const [target, link] = [join(scratchDir(), 'target'), join(scratchDir(), 'link')];
    writeFileSync(target, '', { mode: 0o600 });
    symlinkSync(target, link);
    expect(foreignAccessTo(link, 0)).toBeUndefined();
    lchownSync(link, 1234, 1234);
    expect(foreignAccessTo(link, 0)?.hint).toBe(`chown -h 0 ${link}`);
    lchownSync(link, 0, 0);
    chownSync(target, 1234, 1234);
    expect(foreignAccessTo(link, 0)?.hint).toBe(`chown 0 ${link}`);
  });
});
