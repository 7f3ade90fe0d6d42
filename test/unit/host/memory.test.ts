import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readHostMemory, readOomKills } from '../../../src/host/memory.ts';

function fileOf(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'host-memory-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file');
  writeFileSync(file, text);
  return file;
}

test('this host’s memory is what the kernel says', () => {
  const memory = readHostMemory();
  expect(memory?.totalBytes).toBe(totalmem());
  expect(memory?.availableBytes).toBeGreaterThan(0);
  expect(memory?.availableBytes).toBeLessThanOrEqual(totalmem());
});

test('what is available is not what is free', () => {
  const file = fileOf(
    'MemTotal:       24683560 kB\nMemFree:          512340 kB\nMemAvailable:   20480000 kB\n',
  );
  expect(readHostMemory(file)).toEqual({
    totalBytes: 24_683_560 * 1024,
    availableBytes: 20_480_000 * 1024,
  });
});

test.each([
  ['a file that is not there', '/nonexistent/meminfo'],
  ['a kernel that does not say what is available', undefined],
])('nothing is told of %s', (_, path) => {
  expect(readHostMemory(path ?? fileOf('MemTotal: 1024 kB\nMemFree: 512 kB\n'))).toBeUndefined();
});

test('the kernel’s count of kills is read, and not one of its neighbours', () => {
  expect(readOomKills(fileOf('pgfault 5\noom_kill 42\noom_kill_other 7\n'))).toBe(42);
  expect(readOomKills(fileOf('pgfault 5\n'))).toBeUndefined();
  expect(readOomKills('/nonexistent/vmstat')).toBeUndefined();
  expect(readOomKills()).toBeGreaterThanOrEqual(0);
});
