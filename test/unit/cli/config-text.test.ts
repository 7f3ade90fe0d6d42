import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfigText } from '../../../src/cli/config-text.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const uid = process.getuid?.() ?? 0;

function file(mode: number): string {
  const path = join(scratchDir(), 'config.toml');
  writeFileSync(path, 'ask-price = 1\n');
  chmodSync(path, mode);
  return path;
}

test('is undefined where it is absent', async () => {
  expect(await readConfigText(join(scratchDir(), 'none'), uid)).toBeUndefined();
});

// Files are of this process's own group, as with umask 002.
test.each([0o600, 0o640, 0o644, 0o664])('is read with mode %o', async (mode) => {
  expect(await readConfigText(file(mode), uid)).toBe('ask-price = 1\n');
});

test.each([0o602, 0o646, 0o666])('is refused with mode %o, in which others write', async (mode) => {
  const path = file(mode);
  await expect(readConfigText(path, uid)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: `chmod o-w ${path}`,
  });
});

describe.skipIf(uid !== 0)('with files of other users (needs root),', () => {
  test.each([
    { owner: 1234, reader: 0, right: false },
    { owner: 1234, reader: 4321, right: false },
    { owner: 1234, reader: 1234, right: true },
    { owner: 0, reader: 1234, right: true },
  ])('that of user $owner is read by $reader: $right', async ({ owner, reader, right }) => {
    const path = file(0o644);
    chownSync(path, owner, owner);
    const text = readConfigText(path, reader);
    if (right) expect(await text).toBe('ask-price = 1\n');
    else await expect(text).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
