import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { HostMemoryMonitor } from '../../../src/host/memory-monitor.ts';

const ID = '0123456789abcdef'.repeat(4);
const events = (oom: number, kills: number): string =>
  `low 0\nhigh 0\nmax 7\noom ${oom}\noom_kill ${kills}\noom_group_kill 0\n`;
const meminfo = (available: number): string => `MemTotal: 1000 kB\nMemAvailable: ${available} kB\n`;

/** A stand-in for /sys/fs/cgroup and /proc, with a running container in it. */
async function files(cgroup: 'v1' | 'systemd' | 'cgroupfs') {
  const dir = await mkdtemp(join(tmpdir(), 'memory-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const at = { cgroups: join(dir, 'cgroup'), meminfo: join(dir, 'meminfo'), vmstat: join(dir, 'vmstat') };
  const parent = join(at.cgroups, cgroup === 'systemd' ? 'system.slice' : 'docker');
  const own = join(parent, cgroup === 'systemd' ? `docker-${ID}.scope` : ID);
  await mkdir(own, { recursive: true });
  if (cgroup !== 'v1') await writeFile(join(at.cgroups, 'cgroup.controllers'), 'memory\n');
  if (cgroup !== 'v1') await writeFile(join(parent, 'memory.events'), events(3, 4));
  await writeFile(at.meminfo, meminfo(900));
  await writeFile(at.vmstat, 'oom_kill 7\n');
  const change = async (next: { oom?: number; kills?: number; available?: number; vmstat?: number }) => {
    if (next.oom !== undefined)
      await writeFile(join(parent, 'memory.events'), events(next.oom, next.kills ?? 0));
    if (next.available !== undefined) await writeFile(at.meminfo, meminfo(next.available));
    if (next.vmstat !== undefined) await writeFile(at.vmstat, `oom_kill ${next.vmstat}\n`);
    await rm(own, { recursive: true });
  };
  return { at, change };
}

test.each(['systemd', 'cgroupfs'] as const)(
  'on cgroup v2 with the %s driver it counts since the start, after the container’s cgroup is gone',
  async (driver) => {
    const { at, change } = await files(driver);
    using watch = new HostMemoryMonitor(() => 0, at).watch(ID);
    await change({ oom: 4, kills: 6, vmstat: 9 });
    expect(watch.facts()).toEqual({
      unified: true,
      cgroup: { limitsReached: 1, kills: 2 },
      kernelKills: 2,
      wasShort: false,
    });
  },
);

test('what other containers did before this one’s own counters were last read is not this one’s', async () => {
  const { at, change } = await files('systemd');
  const parent = join(at.cgroups, 'system.slice', 'memory.events');
  const own = join(at.cgroups, 'system.slice', `docker-${ID}.scope`, 'memory.events');
  await writeFile(own, events(0, 0));
  using watch = new HostMemoryMonitor(() => 0, at).watch(ID);
  const counted = () => watch.facts().cgroup;
  await writeFile(parent, events(5, 6));
  expect(counted()).toEqual({ limitsReached: 0, kills: 0 });
  await writeFile(own, events(1, 1));
  await writeFile(parent, events(6, 7));
  expect(counted()).toEqual({ limitsReached: 1, kills: 1 });
  await change({ oom: 7, kills: 9 });
  expect(counted()).toEqual({ limitsReached: 2, kills: 3 });
});

test('on cgroup v1 the cgroup says nothing', async () => {
  const { at } = await files('v1');
  using watch = new HostMemoryMonitor(() => 0, at).watch(ID);
  expect(watch.facts()).toMatchObject({ unified: false, cgroup: undefined, kernelKills: 0 });
});

test('remembers for ten seconds that little memory was available', async () => {
  const { at, change } = await files('systemd');
  let now = 0;
  using watch = new HostMemoryMonitor(() => now, at).watch(ID);
  expect(watch.facts().wasShort).toBe(false);
  await change({ available: 90 });
  expect(watch.facts().wasShort).toBe(true);
  await writeFile(at.meminfo, meminfo(900));
  now = 9_000;
  expect(watch.facts().wasShort).toBe(true);
  now = 11_000;
  expect(watch.facts().wasShort).toBe(false);
});

test('says nothing where nothing can be read', () => {
  const nowhere = { cgroups: '/nowhere', meminfo: '/nowhere', vmstat: '/nowhere' };
  using watch = new HostMemoryMonitor(() => 0, nowhere).watch(ID);
  expect(watch.facts()).toEqual({
    unified: false,
    cgroup: undefined,
    kernelKills: undefined,
    wasShort: false,
  });
});
