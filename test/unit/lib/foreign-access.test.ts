import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foreignAccess, foreignAccessTo, foreignOnTheWay } from '../../../src/lib/foreign-access.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

/** A group that is no user's own, and not this process's. */
const SHARED = 54_321;

test.each([
  { owner: 1000, mode: 0o600, uid: 1000, hint: undefined },
  { owner: 0, gid: 0, mode: 0o644, uid: 1000, hint: undefined },
  { owner: 1000, mode: 0o600, uid: 0, hint: 'chown 0 /file' },
  { owner: 1001, gid: 1001, mode: 0o600, uid: 1000, hint: 'chown 1000 /file' },
  { owner: 1001, gid: 1001, mode: 0o664, uid: 1000, hint: 'chown 1000 /file' },
  // A group of the owner alone, as Ubuntu makes it and lets it write.
  { owner: 1000, mode: 0o664, uid: 1000, hint: undefined },
  { owner: 1000, mode: 0o620, uid: 1000, hint: undefined },
  { owner: 0, gid: 0, mode: 0o664, uid: 1000, hint: undefined },
  { owner: 1000, gid: process.getgid?.() ?? 0, mode: 0o664, uid: 1000, hint: undefined },
  { owner: 1000, mode: 0o666, uid: 1000, hint: 'chmod o-w /file' },
  { owner: 1000, gid: SHARED, mode: 0o644, uid: 1000, hint: undefined },
  { owner: 1000, gid: SHARED, mode: 0o664, uid: 1000, hint: 'chmod go-w /file' },
  { owner: 0, gid: SHARED, mode: 0o620, uid: 0, hint: 'chmod go-w /file' },
  { owner: 0, gid: SHARED, mode: 0o602, uid: 1000, hint: 'chmod go-w /file' },
])(
  'a file of $owner with group $gid and mode $mode, for $uid: $hint',
  ({ hint, mode, owner, uid, ...of }) => {
    const { gid } = { gid: 1000, ...of };
    const foreign = foreignAccess('/file', { gid, mode, uid: owner }, uid);
    expect(foreign?.hint).toBe(hint);
    if (hint?.startsWith('chmod')) expect(foreign?.why).toContain(`0${mode.toString(8)}`);
  },
);

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

describe.skipIf(process.getuid?.() !== 0)('the way to a file (needs root)', () => {
  /** The file in directories of which the upper one is as described. */
  function below({ gid = 0, mode = 0o755, owner = 0 }): { readonly file: string; readonly upper: string } {
    const upper = join(scratchDir(), 'upper');
    mkdirSync(join(upper, 'lower'), { recursive: true });
    const file = join(upper, 'lower', 'file');
    writeFileSync(file, '', { mode: 0o600 });
    chownSync(upper, owner, gid);
    chmodSync(upper, mode);
    return { file, upper };
  }

  test.each([
    { mode: 0o755, right: true },
    { mode: 0o1777, right: true },
    { mode: 0o1775, gid: 100, right: true },
    // A group of the owner alone, as most systems make it.
    { mode: 0o775, right: true },
    { mode: 0o777, right: false },
    { mode: 0o757, right: false },
    { mode: 0o775, gid: 100, right: false },
    { mode: 0o700, owner: 1234, right: false },
  ])('is checked: %j', ({ right, ...directory }) => {
    const { file, upper } = below(directory);
    const foreign = foreignOnTheWay(file, 0);
    expect(foreign === undefined).toBe(right);
    expect(foreignAccessTo(file, 0) === undefined).toBe(right);
    if (!right) expect(foreign?.hint).toContain(upper);
  });

  test('is that of each link, too', () => {
    const { file } = below({ mode: 0o777 });
    const links = scratchDir();
    symlinkSync(file, join(links, 'first'));
    symlinkSync('first', join(links, 'second'));
    expect(foreignOnTheWay(join(links, 'second'), 0)).toBeDefined();
    const safe = below({});
    symlinkSync(join(safe.upper, 'lower'), join(links, 'lower'));
    expect(foreignOnTheWay(join(links, 'lower', 'file'), 0)).toBeUndefined();
    lchownSync(join(links, 'lower'), 1234, 1234);
    expect(foreignOnTheWay(join(links, 'lower', 'file'), 0)?.hint).toBe(`chown -h 0 ${join(links, 'lower')}`);
  });

  test('ends where nothing is, and with links in a circle', () => {
    const links = scratchDir();
    symlinkSync('b', join(links, 'a'));
    symlinkSync('a', join(links, 'b'));
    expect(foreignOnTheWay(join(links, 'a', 'file'), 0)).toBeUndefined();
    expect(foreignOnTheWay(join(links, 'none', 'file'), 0)).toBeUndefined();
  });
});
