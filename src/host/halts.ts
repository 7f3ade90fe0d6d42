import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { searchCgroup } from './memory-monitor.ts';

/** Where to read; for tests. */
export type HaltFiles = { readonly cgroups: string; readonly proc: string };

const FILES: HaltFiles = { cgroups: '/sys/fs/cgroup', proc: '/proc' };

/**
 * Whether something outside a container has halted it, as `docker pause` does but without the engine's knowledge: a frozen
 * cgroup, or an init that was sent SIGSTOP, which no process of the container can do. What cannot be read, as another
 * user's process in the service, counts as not halted.
 */
export function watchHalts(container: string, files: HaltFiles = FILES): () => boolean {
  let folder: string | undefined;
  return () => {
    folder ??= folderOf(container, files.cgroups);
    return folder !== undefined && (isFrozen(folder) || isStopped(folder, files.proc));
  };
}

function folderOf(container: string, cgroups: string): string | undefined {
  const isUnified = existsSync(join(cgroups, 'cgroup.controllers'));
  return searchCgroup(isUnified ? cgroups : join(cgroups, 'freezer'), container);
}

function isFrozen(folder: string): boolean {
  const events = textOf(join(folder, 'cgroup.events')) ?? '';
  return /^frozen 1$/m.test(events) || textOf(join(folder, 'freezer.state'))?.trim() === 'FROZEN';
}

/** Whether the init is stopped by a signal; a job cannot send it SIGSTOP from inside. */
function isStopped(folder: string, proc: string): boolean {
  const [first = ''] = (textOf(join(folder, 'cgroup.procs')) ?? '').split('\n');
  if (!/^\d+$/.test(first)) return false;
  const status = textOf(join(proc, first, 'status')) ?? '';
  return /^State:\s+T/m.test(status) && /^NSpid:.*\t1$/m.test(status);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
