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

test('reads this host’s memory', () => {
  const memory = readHostMemory();
  expect(memory?.totalBytes).toBe(totalmem());
  expect(memory?.availableBytes).toBeGreaterThan(0);
  expect(memory?.availableBytes).toBeLessThanOrEqual(totalmem());
});

test('reads the available memory, not the free memory', () => {
  const file = fileOf(
    'MemTotal:       24683560 kB\nMemFree:          512340 kB\nMemAvailable:   20480000 kB\n',
  );
  expect(readHostMemory(file)).toEqual({
    totalBytes: 24_683_560 * 1024,
    availableBytes: 20_480_000 * 1024,
  });
});

test.each([
  ['a missing file', '/nonexistent/meminfo'],
  ['a kernel without MemAvailable', undefined],
])('reads no memory from %s', (_, path) => {
  expect(readHostMemory(path ?? fileOf('MemTotal: 1024 kB\nMemFree: 512 kB\n'))).toBeUndefined();
});

test('reads the kernel’s count of out-of-memory kills, and no similar one', () => {
  expect(readOomKills(fileOf('pgfault 5\noom_kill 42\noom_kill_other 7\n'))).toBe(42);
  expect(readOomKills(fileOf('pgfault 5\n'))).toBeUndefined();
  expect(readOomKills('/nonexistent/vmstat')).toBeUndefined();
  expect(readOomKills()).toBeGreaterThanOrEqual(0);
});
