import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noneRuns } from '../../../src/host/container-processes.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const ID = 'f'.repeat(64);
const OTHER = 'e'.repeat(64);
const DEEP = 'user.slice/user-1000.slice/user@1000.service/jobs.slice/a/b/c';
const HOST_V1 = ['memory/release_agent'];
const HOST_V2 = ['cgroup.controllers'];

/** Control groups with these files and folders, and a process list in which others' processes are hidden. */
function machine(files: readonly string[], folders: readonly string[], cmdline = 'sh\0') {
  const [cgroups, proc] = [scratchDir(), scratchDir()];
  for (const folder of folders) mkdirSync(join(cgroups, folder), { recursive: true });
  for (const file of files) {
    mkdirSync(join(cgroups, file, '..'), { recursive: true });
    writeFileSync(join(cgroups, file), '');
  }
  mkdirSync(join(proc, '77'));
  writeFileSync(join(proc, '77', 'cmdline'), cmdline);
  return { cgroups, proc, maxGroups: 20 };
}

test.each<[boolean, string, Parameters<typeof machine>]>([
  [true, 'no group of v2 has its id', [HOST_V2, [`system.slice/docker-${OTHER}.scope`]]],
  [true, 'no group of v1 has its id', [HOST_V1, [`memory/docker/${OTHER}`]]],
  [false, 'systemd made its group', [HOST_V2, [`system.slice/docker-${ID}.scope`]]],
  [false, 'its group is deep', [HOST_V2, [`${DEEP}/docker-${ID}.scope`]]],
  [false, 'its group of v1 is there', [HOST_V1, [`memory/docker/${ID}`]]],
  [false, 'only a container’s part of v2 is seen', [[...HOST_V2, 'cgroup.events'], []]],
  [false, 'only a container’s part of v1 is seen', [['memory/tasks'], []]],
  [false, 'no groups are seen', [[], []]],
  [false, 'its shim is seen', [HOST_V2, [], `containerd-shim-runc-v2\0-id\0${ID}\0`]],
])('%s where %s', (expected, _, files) => {
  expect(noneRuns([ID], machine(...files))).toBe(expected);
});

test('more groups than can be searched say nothing', () => {
  const many = Array.from({ length: 20 }, (_, at) => `${at}`);
  const files = machine(HOST_V2, many);
  expect(noneRuns([ID], { ...files, maxGroups: 21 })).toBe(true);
  expect(noneRuns([ID], files)).toBe(false);
});
