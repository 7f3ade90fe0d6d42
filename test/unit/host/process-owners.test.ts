import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CgroupOwners } from '../../../src/host/process-owners.ts';

const [JOB, SECOND] = ['a'.repeat(64), 'b'.repeat(64)];
const ALIVE = new Set([101, 102, 103, 900]);

type Tree = AsyncDisposable & { readonly owners: CgroupOwners; readonly proc: string };

/** A host with these files below `cgroups` and `proc`. */
async function host(files: Readonly<Record<string, string>>): Promise<Tree> {
  const root = await mkdtemp(join(tmpdir(), 'owners-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  const exists = (pid: number): boolean => ALIVE.has(pid);
  return {
    proc: join(root, 'proc'),
    owners: new CgroupOwners({ cgroups: join(root, 'cgroups'), proc: join(root, 'proc'), exists }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** Other users' processes are hidden, as in the packaged service. */
const V1 = { [`cgroups/pids/docker/${JOB}/cgroup.procs`]: '101\n102\n' };
const V2 = {
  'cgroups/cgroup.controllers': 'cpu memory\n',
  [`cgroups/system.slice/docker-${JOB}.scope/cgroup.procs`]: '101\n',
  [`cgroups/system.slice/docker-${JOB}.scope/init/cgroup.procs`]: '102\n0\n',
};

describe('where other users’ processes are hidden', () => {
  test.each([
    ['cgroup v1', V1],
    ['cgroup v2, with a cgroup of the runtime’s below', V2],
  ])('%s shows which are ours', async (_, files) => {
    await using one = await host(files);
    const ownerOf = one.owners.among([JOB]);
    expect([101, 102, 900].map(ownerOf)).toStrictEqual(['ours', 'ours', 'foreign']);
  });

  test('under runsc the sandbox is ours, which is all that nvidia-smi shows', async () => {
    await using one = await host({ [`cgroups/memory/docker/${JOB}/cgroup.procs`]: '101\n' });
    expect(one.owners.among([JOB])(101)).toBe('ours');
  });

  test('a process is not foreign while one of our containers is not found: it may be in that', async () => {
    await using one = await host(V1);
    const ownerOf = one.owners.among([JOB, SECOND]);
    expect([101, 900].map(ownerOf)).toStrictEqual(['ours', 'unknown']);
  });

  test('a process is not foreign while the cgroup of our container is empty: it has just ended', async () => {
    await using one = await host({ [`cgroups/pids/docker/${JOB}/cgroup.procs`]: '' });
    expect(one.owners.among([JOB])(101)).toBe('unknown');
  });

  test('a process that has ended meanwhile is not foreign: it may have been of a container that has ended', async () => {
    await using one = await host({});
    expect(one.owners.among([])(555)).toBe('unknown');
  });

  test('all that run are foreign where no container of ours does', async () => {
    await using one = await host({});
    expect(one.owners.among([])(900)).toBe('foreign');
  });
});

describe('where they are seen', () => {
  test.each([
    ['the cgroup of a process', { 'proc/101/cgroup': `0::/docker/${JOB}\n` }, 'ours'],
    ['a cgroup beside the agent’s own', { 'proc/101/cgroup': `0::/../${JOB}\n` }, 'ours'],
    [
      'the command line of a sandbox without a cgroup',
      { 'proc/101/cgroup': '0::/', 'proc/101/cmdline': `runsc-sandbox\0boot\0${JOB}` },
      'ours',
    ],
    ['the cgroup of somebody else', { 'proc/101/cgroup': '0::/user.slice/user-1000.slice\n' }, 'foreign'],
    ['the cgroup of somebody else’s container', { 'proc/101/cgroup': `0::/docker/${SECOND}\n` }, 'foreign'],
  ])('%s says whose it is', async (_, files, owner) => {
    await using one = await host(files);
    expect(one.owners.among([JOB])(101)).toBe(owner);
  });
});

describe('process ids', () => {
  test.each([
    ['pid:[4026531836]', true],
    ['pid:[4026532471]', false],
  ])('are shared in %s: %s', async (namespace, areShared) => {
    await using one = await host({ 'proc/self/ns/net': '' });
    await symlink(namespace, join(one.proc, 'self/ns/pid'));
    expect(one.owners.areIdsShared).toBe(areShared);
  });

  test('are not taken for shared where that cannot be found out', async () => {
    await using one = await host({});
    expect(one.owners.areIdsShared).toBe(false);
  });
});
