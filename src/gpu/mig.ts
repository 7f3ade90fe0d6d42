import type { MigSlice } from '../domain/gpu.ts';

/** Reads `nvidia-smi -L`: the MIG slices by the uuid of their GPU, an empty list for a GPU without slices. */
export function parseSlices(list: string): ReadonlyMap<string, readonly MigSlice[]> {
  const slices = new Map<string, MigSlice[]>();
  let current: MigSlice[] | undefined;
  for (const line of list.split(/\r?\n/)) {
    const gpu = /^GPU \d+: .*\(UUID: ([^)\s]+)\)/.exec(line)?.[1];
    const [, profile, uuid] = /^\s+MIG (\S+)\s+Device\s+\d+:\s+\(UUID: ([^)\s]+)\)/.exec(line) ?? [];
    if (gpu !== undefined) {
      current = [];
      slices.set(gpu, current);
    } else if (profile !== undefined && uuid !== undefined) current?.push({ uuid, profile });
  }
  return slices;
}
