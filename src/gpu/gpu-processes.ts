import type { GpuProcess } from '../domain/gpu-memory.ts';

/**
 * Reads the answer to `--query-compute-apps=pid,gpu_uuid,used_memory --format=csv,noheader,nounits`. Lines that are
 * no rows are left out; a figure that is none (`[N/A]`) is unknown.
 */
export function parseProcesses(csv: string): readonly GpuProcess[] {
  return csv.split(/\r?\n/).flatMap((line) => {
    const [, pid, gpu, used = ''] = /^\s*(\d+), *(GPU-[\w-]+), *([^,]*?)\s*$/.exec(line) ?? [];
    if (pid === undefined || gpu === undefined) return [];
    const figure = /^(\d+)(?: MiB)?$/.exec(used)?.[1];
    return [{ pid: Number(pid), gpu, usedMiB: figure === undefined ? undefined : Number(figure) }];
  });
}
