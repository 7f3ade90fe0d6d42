import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchHalts } from '../../../src/host/halts.ts';

const ID = 'a1b2c3d4e5f6';
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'halts-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A host with these files below `cgroups` and `proc`. */
async function isHalted(files: Readonly<Record<string, string>>): Promise<boolean> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return watchHalts(ID, { cgroups: join(root, 'cgroups'), proc: join(root, 'proc') })();
}

const V2 = 'cgroups/system.slice/docker-a1b2c3d4e5f6.scope';
const V1 = 'cgroups/freezer/docker/a1b2c3d4e5f6';
const unified = { 'cgroups/cgroup.controllers': 'cpu memory' };
const status = (state: string, inside: string) =>
  `Name:\tdocker-init\nState:\t${state}\nNSpid:\t77\t${inside}\n`;

test.each<[string, Readonly<Record<string, string>>, boolean]>([
  ['a frozen cgroup of version 2', { ...unified, [`${V2}/cgroup.events`]: 'populated 1\nfrozen 1\n' }, true],
  ['one that runs', { ...unified, [`${V2}/cgroup.events`]: 'populated 1\nfrozen 0\n' }, false],
  ['a frozen cgroup of version 1', { [`${V1}/freezer.state`]: 'FROZEN\n' }, true],
  ['one that runs, of version 1', { [`${V1}/freezer.state`]: 'THAWED\n' }, false],
  [
    'an init that is stopped',
    { [`${V1}/cgroup.procs`]: '77\n78\n', 'proc/77/status': status('T (stopped)', '1') },
    true,
  ],
  [
    'an init that sleeps',
    { [`${V1}/cgroup.procs`]: '77\n78\n', 'proc/77/status': status('S (sleeping)', '1') },
    false,
  ],
  // The job can do that itself.
  [
    'another process that is stopped',
    { [`${V1}/cgroup.procs`]: '77\n', 'proc/77/status': status('T (stopped)', '9') },
    false,
  ],
  ['an init that cannot be seen', { [`${V1}/cgroup.procs`]: '77\n' }, false],
  ['no cgroup', {}, false],
])('a container with %s: %s', async (_, files, halted) => {
  expect(await isHalted(files)).toBe(halted);
});
