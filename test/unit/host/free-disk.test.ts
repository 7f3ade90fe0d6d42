import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { diskRoom, fileSystems } from '../../../src/host/free-disk.ts';

test('the room of what is not there is that of the disk that it would be made on', () => {
  const directory = mkdtempSync(join(tmpdir(), 'free-disk-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const there = diskRoom(directory);
  expect(there?.bytes).toBeGreaterThan(0);
  expect(diskRoom(join(directory, 'not', 'there'))?.files).toBeCloseTo(there?.files ?? 0, 3);
});

test('knows no free space of a path below a file', () => {
  expect(diskRoom(join(import.meta.filename, 'below'))).toBeUndefined();
});

test('two paths of one file system are reported once, the absent one by its nearest directory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'free-disk-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const absent = join(directory, 'not', 'there');
  const [first, ...more] = await fileSystems([absent, directory]);
  expect(first).toMatchObject({ path: absent });
  expect(first?.sizeBytes).toBeGreaterThan(first?.freeBytes ?? 0);
  expect(more).toEqual([]);
});
