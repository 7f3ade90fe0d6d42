import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemdReloadedAt } from '../../../src/host/systemd-reloads.ts';

test('dates the last reload by the directories that systemd creates again at each', async () => {
  const run = await mkdtemp(join(tmpdir(), 'systemd-'));
  onTestFinished(() => rm(run, { recursive: true, force: true }));
  expect(systemdReloadedAt(run)).toBeUndefined();
  const before = Date.now() - 1_000;
  await mkdir(join(run, 'generator'));
  const first = systemdReloadedAt(run) ?? 0;
  expect(first).toBeGreaterThan(before);
  await rm(join(run, 'generator'), { recursive: true });
  await mkdir(join(run, 'generator'));
  expect(systemdReloadedAt(run)).toBeGreaterThanOrEqual(first);
});
