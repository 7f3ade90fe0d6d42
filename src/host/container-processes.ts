import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The kernel's own process of this number, which only the host's process list has. */
const KTHREADD = '2';

/**
 * Whether none of these containers runs on this machine, by the processes that start and hold them; false where not every
 * process of the machine can be seen. `proc` is for tests.
 */
export function noneRuns(containers: readonly string[], proc = '/proc'): boolean {
  if (read(join(proc, KTHREADD, 'comm'))?.trim() !== 'kthreadd') return false;
  const processes = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return processes.every((pid) => {
    // containerd-shim has the id on its command line, and the container's processes have it in their control group.
    const about = [read(join(proc, pid, 'cmdline')), read(join(proc, pid, 'cgroup'))];
    return about.every((text) => text !== undefined && !containers.some((id) => text.includes(id)));
  });
}

/** Empty for a process that has ended meanwhile; undefined for one that this user may not see. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    return code === 'ENOENT' || code === 'ESRCH' ? '' : undefined;
  }
}
