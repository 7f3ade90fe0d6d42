import type { HostMemory } from '../../host/memory.ts';

/** Something that this host is asked before every claim. */
export type AdmissionCheck = {
  /** Tells it from the others. */
  readonly name: string;
  /** Why nothing may be claimed now; undefined: nothing speaks against it. `held`: whether it has said so before. */
  readonly why: (held: boolean) => string | undefined;
};

/** Claims stop below this part of the files that a disk can hold. */
const FILES_FLOOR_PART = 0.05;
/** Claims stop below this part of the host's memory, or below MEMORY_FLOOR_MOST where that is less. */
const MEMORY_FLOOR_PART = 0.05;
const MEMORY_FLOOR_MOST = 1024 ** 3;
/** So much more must be available before claims go on, so that they don't come and go with every breath. */
const MEMORY_MARGIN = 1.25;

/** Why nothing may be pulled or claimed: one of these directories has too little free disk; undefined: there is room. */
export function diskSpaceProblem(
  paths: readonly (string | undefined)[],
  leastBytes: number,
  freeBytes: (path: string) => number | undefined,
): string | undefined {
  for (const path of paths) {
    const free = path === undefined ? undefined : freeBytes(path);
    if (free !== undefined && free < leastBytes)
      return `${path} has ${free} bytes of free disk, fewer than --min-free-disk ${leastBytes}`;
  }
  return undefined;
}

/** Why nothing may be claimed: a disk holds nearly as many files as it can, however small; undefined: it does not. */
export function inodeProblem(
  paths: readonly (string | undefined)[],
  freeFiles: (path: string) => number | undefined,
): string | undefined {
  const full = paths.find((path) => path !== undefined && (freeFiles(path) ?? 1) < FILES_FLOOR_PART);
  return full === undefined ? undefined : `${full} can hold hardly any more files (inodes)`;
}

/** Why nothing may be claimed: the host is short of memory; undefined: it is not, or nobody can tell. */
export function memoryProblem(memory: HostMemory | undefined, held: boolean): string | undefined {
  if (memory === undefined) return undefined;
  const floor = Math.min(memory.totalBytes * MEMORY_FLOOR_PART, MEMORY_FLOOR_MOST);
  if (memory.availableBytes >= (held ? floor * MEMORY_MARGIN : floor)) return undefined;
  return `this host is short of memory: ${memory.availableBytes} of ${memory.totalBytes} bytes are available`;
}

/** The questions about disks and memory. The directories may come to be known later. */
export function resourceChecks(host: {
  readonly directories: () => readonly (string | undefined)[];
  readonly leastFreeBytes: number;
  readonly freeBytes: (path: string) => number | undefined;
  /** The part of its files that a disk may still be given. */
  readonly freeFiles: (path: string) => number | undefined;
  readonly memory: () => HostMemory | undefined;
}): readonly AdmissionCheck[] {
  return [
    { name: 'disk', why: () => diskSpaceProblem(host.directories(), host.leastFreeBytes, host.freeBytes) },
    { name: 'files', why: () => inodeProblem(host.directories(), host.freeFiles) },
    { name: 'memory', why: (held) => memoryProblem(host.memory(), held) },
  ];
}
