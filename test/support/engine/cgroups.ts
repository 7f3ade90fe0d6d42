import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';

const CGROUPS = '/sys/fs/cgroup';

/** Removes the control groups below one of that name, in whichever hierarchies it is. */
export async function removeCgroups(name: string): Promise<void> {
  const hierarchies = await readdir(CGROUPS);
  for (const folder of [CGROUPS, ...hierarchies.map((hierarchy) => join(CGROUPS, hierarchy))]) {
    await vi.waitFor(() => removeCgroup(join(folder, name)), 10_000);
  }
}

/** Throws while something is still in it. */
async function removeCgroup(folder: string): Promise<void> {
  try {
    const inside = await readdir(folder, { withFileTypes: true });
    for (const entry of inside) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
    await rmdir(folder);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && ['ENOENT', 'ENOTDIR'].includes(String(thrown.code))))
      throw thrown;
  }
}
