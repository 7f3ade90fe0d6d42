import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAsleep } from '../../../src/host/gpu-power.ts';

test.each([
  ['suspended\n', '00000000:01:00.0', true],
  ['active\n', '00000000:01:00.0', false],
  ['resuming\n', '00000000:01:00.0', false],
  ['unsupported\n', '00000000:01:00.0', false],
  ['', '00000000:01:00.0', false],
  ['suspended\n', '00000000:01:00.1', false],
  ['suspended\n', '00010000:01:00.0', false],
  ['suspended\n', '0000:01:00.0', true],
  ['suspended\n', '[N/A]', false],
  ['suspended\n', '../../../etc', false],
])('%j in sysfs: the GPU at %s is asleep: %s', async (status, busId, expected) => {
  const root = await mkdtemp(join(tmpdir(), 'gpu-power-'));
  const device = join(root, 'sys/bus/pci/devices/0000:01:00.0/power');
  await mkdir(device, { recursive: true });
  await writeFile(join(device, 'runtime_status'), status);
  expect(isAsleep(busId, root)).toBe(expected);
  await rm(root, { recursive: true });
});

test('a GPU in a domain of its own is found by its name in sysfs', async () => {
  const root = await mkdtemp(join(tmpdir(), 'gpu-power-'));
  const device = join(root, 'sys/bus/pci/devices/10000:e1:00.0/power');
  await mkdir(device, { recursive: true });
  await writeFile(join(device, 'runtime_status'), 'suspended');
  expect(isAsleep('00010000:E1:00.0', root)).toBe(true);
  await rm(root, { recursive: true });
});
