import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { hostFacts } from '../../../src/host/host-facts.ts';

/** A /sys with these PCI devices: address, vendor, class. */
async function sysfs(devices: readonly (readonly [string, string, string])[]) {
  const root = await mkdtemp(join(tmpdir(), 'sysfs-'));
  for (const [address, vendor, kind] of devices) {
    const device = join(root, 'bus/pci/devices', address);
    await mkdir(device, { recursive: true });
    await writeFile(join(device, 'vendor'), `${vendor}\n`);
    await writeFile(join(device, 'class'), `${kind}\n`);
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

test('finds Nvidia cards without a driver, but neither their sound devices nor other cards', async () => {
  await using at = await sysfs([
    ['0000:02:00.0', '0x10de', '0x030200'],
    ['0000:01:00.0', '0x10de', '0x030000'],
    ['0000:01:00.1', '0x10de', '0x040300'],
    ['0000:00:02.0', '0x8086', '0x030000'],
  ]);
  expect((await hostFacts(10_000, at.root)).nvidiaCards).toEqual(['0000:01:00.0', '0000:02:00.0']);
});

test('the operating system, the CPU, the memory and the virtualization of this host are read', async () => {
  const { cpu, memory, os, virtualization } = await hostFacts(15_000);
  expect(os).toMatch(/kernel \d/);
  expect(virtualization).toMatch(/./);
  expect(cpu?.cores).toBeGreaterThan(0);
  expect(memory?.totalBytes).toBeGreaterThan(totalmem() / 2);
});

test('the host’s name is not asked for: without DNS the answer would block the agent', async () => {
  const programs = await mkdtemp(join(tmpdir(), 'programs-'));
  const asked = join(programs, 'asked');
  await writeFile(join(programs, 'hostname'), `#!/bin/sh\ntouch '${asked}'\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${programs}:${process.env['PATH'] ?? ''}`);
  try {
    expect((await hostFacts(15_000)).os).toMatch(/./);
    expect(existsSync(asked)).toBe(false);
  } finally {
    vi.unstubAllEnvs();
    await rm(programs, { recursive: true });
  }
});

test('a host that does not answer in time has no facts, and is no error', async () => {
  const facts = await hostFacts(0, '/nowhere');
  expect(facts).toEqual({
    os: undefined,
    cpu: undefined,
    memory: undefined,
    virtualization: undefined,
    nvidiaCards: [],
  });
});
