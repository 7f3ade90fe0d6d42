import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { diskSpace, fileSystems } from '../../../src/host/disk-space.ts';

test('reads the free space of a missing path from its nearest directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'disk-space-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const existing = diskSpace(directory);
  expect(existing?.freeBytes).toBeGreaterThan(0);
  expect(diskSpace(join(directory, 'not', 'there'))?.freeInodes).toBeCloseTo(existing?.freeInodes ?? 0, 3);
});

test('knows no free space of a path below a file', () => {
  expect(diskSpace(join(import.meta.filename, 'below'))).toBeUndefined();
});

test('reports a file system of two paths once, and a missing path by its nearest directory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'disk-space-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const absent = join(directory, 'not', 'there');
  const [first, ...more] = await fileSystems([absent, directory]);
  expect(first).toMatchObject({ path: absent });
  expect(first?.sizeBytes).toBeGreaterThan(first?.freeBytes ?? 0);
  expect(more).toEqual([]);
});
