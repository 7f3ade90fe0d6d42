import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const TESTS = `
  import { expect, test } from 'vitest';
  test('adds', () => expect(1 + 1).toBe(2));
  test('subtracts', () => expect(1 - 1).toBe(2));`;

test('keeps tests and files that fail, and nothing of those that pass', () => {
  const root = mkdtempSync(join(tmpdir(), 'keep-failures-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const failures = join(root, 'failures');
  mkdirSync(join(root, 'test/unit'), { recursive: true });
  writeFileSync(join(root, 'test/unit/sums.test.ts'), TESTS);
  writeFileSync(join(root, 'test/unit/broken.test.ts'), 'throw new Error("no such module")');
  const vitest = resolve('node_modules/vitest/vitest.mjs');
  const config = resolve('vitest.config.ts');
  const env = { ...process.env, FAILURES: failures };
  const args = [vitest, 'run', '--root', root, '--config', config, '--project', 'unit'];
  const { status } = spawnSync(process.execPath, args, { env, cwd: process.cwd(), encoding: 'utf8' });
  expect(status).toBe(1);
  const kept = readFileSync(failures, 'utf8');
  expect(kept).toContain('× test/unit/sums.test.ts > subtracts\n');
  expect(kept).toContain('× test/unit/broken.test.ts\n    no such module\n');
  expect(kept).not.toContain('adds');
});
