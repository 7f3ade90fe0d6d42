import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../limits.ts';

/** Where to read, and how many control groups at most; for tests. */
export type ProcessFiles = { readonly cgroups: string; readonly proc: string; readonly maxGroups: number };

const FILES: ProcessFiles = {
  cgroups: '/sys/fs/cgroup',
  proc: '/proc',
  maxGroups: LIMITS.host.controlGroups.max,
};

/**
 * Whether none of these containers runs on this machine: no control group has its id, nor any process that can be seen. False
 * where not all control groups can be seen. Other users' processes need not be: the packaged service hides them.
 */
export function noneRuns(containers: readonly string[], files: ProcessFiles = FILES): boolean {
  const tree = wholeTree(files.cgroups);
  if (tree === undefined) return false;
  const isOne = (text: string): boolean => containers.some((id) => text.includes(id));
  return hasNoGroup(tree, files.maxGroups, isOne) && !processTexts(files.proc).some(isOne);
}

/**
 * The control groups of the whole machine in which all jobs are, because each has a limit of memory; undefined: at most those
 * below a container's are seen. Only the root of cgroup v2 lacks cgroup.events, and only that of v1 has release_agent.
 */
function wholeTree(cgroups: string): string | undefined {
  if (existsSync(join(cgroups, 'cgroup.controllers')))
    return existsSync(join(cgroups, 'cgroup.events')) ? undefined : cgroups;
  const memory = join(cgroups, 'memory');
  return existsSync(join(memory, 'release_agent')) ? memory : undefined;
}

/** Whether no folder below this one is such a group, at any depth; false where not all of them can be read. */
function hasNoGroup(tree: string, max: number, isOne: (name: string) => boolean): boolean {
  const folders = [tree];
  for (let at = 0; at < folders.length; at += 1) {
    const inside = foldersIn(folders[at] ?? tree);
    if (inside === undefined || inside.some(isOne)) return false;
    folders.push(...inside.map((name) => join(folders[at] ?? tree, name)));
    if (folders.length > max) return false;
  }
  return true;
}

/** Empty for a folder that is gone meanwhile; undefined for one that may not be read. */
function foldersIn(folder: string): readonly string[] | undefined {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    return code === 'ENOENT' || code === 'ENODEV' ? [] : undefined;
  }
}

/** containerd-shim has the container's id on its command line, also where a runtime makes no control group. */
function processTexts(proc: string): readonly string[] {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => [read(join(proc, pid, 'cmdline')), read(join(proc, pid, 'cgroup'))]);
}

/** Empty for a process that has ended meanwhile, or that this user may not see. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
