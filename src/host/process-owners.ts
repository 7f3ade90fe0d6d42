import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessOwner } from '../domain/foreign-use.ts';
import type { ProcessOwners } from '../domain/ports/process-owners.ts';
import { searchCgroup } from './memory-monitor.ts';

/** Where to read, and whether a process exists; for tests. */
export type OwnerFiles = {
  readonly cgroups: string;
  readonly proc: string;
  readonly exists: (pid: number) => boolean;
};

const FILES: OwnerFiles = { cgroups: '/sys/fs/cgroup', proc: '/proc', exists: processExists };

/** The id of the first namespace of process ids, in which the driver counts (PROC_PID_INIT_INO of Linux). */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/** One of these has all containers, under cgroup v1. */
const CONTROLLERS = ['memory', 'pids', 'freezer', 'devices'];

/** Below a container's cgroup, a runtime makes at most so many levels of its own. */
const MAX_DEPTH = 3;

/**
 * Finds the processes of containers by their cgroups, which the packaged service may read although it does not see other
 * users' processes. Under runsc the sandbox, which uses the GPU, is in the container's cgroup as well.
 */
export class CgroupOwners implements ProcessOwners {
  readonly #files: OwnerFiles;
  /** The cgroup of each container that was found. */
  readonly #folders = new Map<string, string>();

  constructor(files: OwnerFiles = FILES) {
    this.#files = files;
  }

  get areIdsShared(): boolean {
    try {
      return readlinkSync(join(this.#files.proc, 'self/ns/pid')) === FIRST_NAMESPACE;
    } catch {
      return false;
    }
  }

  exists(pid: number): boolean {
    return this.#files.exists(pid);
  }

  among(containers: readonly string[]): (pid: number) => ProcessOwner {
    for (const id of this.#folders.keys()) if (!containers.includes(id)) this.#folders.delete(id);
    let traced: Traced | undefined;
    return (pid) => {
      const text = this.#textOf(pid);
      if (containers.some((id) => text.includes(id))) return 'ours';
      if (text !== '') return 'foreign';
      traced ??= this.#trace(containers);
      if (traced.pids.has(pid)) return 'ours';
      // One that has ended in between was in a container, perhaps.
      return traced.isWhole && this.#files.exists(pid) ? 'foreign' : 'unknown';
    };
  }

  /** Its cgroup and command line, which has the container's id where a runtime makes no cgroup; empty: it is hidden. */
  #textOf(pid: number): string {
    const folder = join(this.#files.proc, `${pid}`);
    return textIn(join(folder, 'cgroup')) + textIn(join(folder, 'cmdline'));
  }

  #trace(containers: readonly string[]): Traced {
    const lists = containers.map((id) => this.#pidsOf(id));
    return { pids: new Set(lists.flatMap((pids) => [...(pids ?? [])])), isWhole: !lists.includes(undefined) };
  }

  /** Undefined: they cannot be found out. */
  #pidsOf(container: string): readonly number[] | undefined {
    const folder = this.#folders.get(container) ?? this.#search(container);
    if (folder === undefined) return undefined;
    const pids = pidsBelow(folder, MAX_DEPTH);
    if (pids.length > 0) this.#folders.set(container, folder);
    return pids.length > 0 ? pids : undefined;
  }

  #search(container: string): string | undefined {
    const { cgroups } = this.#files;
    const isUnified = existsSync(join(cgroups, 'cgroup.controllers'));
    const roots = isUnified ? [cgroups] : CONTROLLERS.map((name) => join(cgroups, name)).filter(existsSync);
    return roots.map((root) => searchCgroup(root, container)).find((folder) => folder !== undefined);
  }
}

/** The processes of all containers, and whether all of them were found. */
type Traced = { readonly pids: ReadonlySet<number>; readonly isWhole: boolean };

function pidsBelow(folder: string, depth: number): readonly number[] {
  const own = textIn(join(folder, 'cgroup.procs')).split('\n').map(Number);
  // One of another namespace has the id 0 here.
  const pids = own.filter((pid) => pid > 0);
  if (depth === 0) return pids;
  return [...pids, ...foldersIn(folder).flatMap((name) => pidsBelow(join(folder, name), depth - 1))];
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

function textIn(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Also of another user. */
function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
