import { AgentError } from '../../domain/errors.ts';
import type { HostMemory } from '../../domain/ports/host.ts';
import { readableBytes } from '../../lib/readable.ts';

/** A condition of this host that is checked before every claim. */
export type AdmissionCheck = {
  /** As logged in `blockedBy`. */
  readonly name: string;
  /** Why nothing may be claimed now; undefined: it may. `blocking`: whether it blocks claims already. */
  readonly why: (blocking: boolean) => string | undefined;
};

/** Claims stop below this free part of a disk's inodes. */
export const FILES_FLOOR_PART = 0.05;
/** Claims stop below this part of the host's memory, or below MAX_MEMORY_FLOOR where that is less. */
const MEMORY_FLOOR_PART = 0.05;
const MAX_MEMORY_FLOOR = 1024 ** 3;
/** Claims go on above this many times the floor, so that they do not stop and go all the time. */
const MEMORY_MARGIN = 1.25;

/** Why nothing may be pulled or claimed: too little free disk at one of these paths; undefined: there is enough. */
export function diskSpaceProblem(
  paths: readonly (string | undefined)[],
  minBytes: number,
  freeBytes: (path: string) => number | undefined,
): string | undefined {
  for (const path of paths) {
    const free = path === undefined ? undefined : freeBytes(path);
    if (free !== undefined && free < minBytes)
      return `${path} has ${readableBytes(free)} of free disk, less than --min-free-disk ${readableBytes(minBytes)}`;
  }
  return undefined;
}

/**
 * Throws IMAGE_STORE_FULL if the disk is too full for a pull. `pendingBytes`: what pulls under way will still download to
 * Docker's directory `storage`, which is undefined where it is not known.
 */
export function refuseFullDisk(
  stateDir: string,
  storage: string | undefined,
  minBytes: number,
  pendingBytes: number,
  freeBytes: (path: string) => number | undefined,
): void {
  const hint = 'free disk space, or lower --min-free-disk';
  const why = diskSpaceProblem([stateDir, storage], minBytes, freeBytes);
  if (why !== undefined) throw new AgentError('IMAGE_STORE_FULL', why, { hint });
  const free = storage === undefined ? undefined : freeBytes(storage);
  if (free === undefined || free - pendingBytes >= minBytes) return;
  throw new AgentError(
    'IMAGE_STORE_FULL',
    `${storage} has ${free} bytes of free disk, of which pulls need ${pendingBytes} beside --min-free-disk ${minBytes}`,
    { hint },
  );
}

/** Why nothing may be claimed: too few free inodes at one of these paths; undefined: there are enough. */
export function inodeProblem(
  paths: readonly (string | undefined)[],
  freeFiles: (path: string) => number | undefined,
): string | undefined {
  const full = paths.find((path) => path !== undefined && (freeFiles(path) ?? 1) < FILES_FLOOR_PART);
  return full === undefined ? undefined : `${full} can hold hardly any more files (inodes)`;
}

/** Why nothing may be claimed: too little available memory; undefined: there is enough, or it is not known. */
export function memoryProblem(memory: HostMemory | undefined, blocking: boolean): string | undefined {
  if (memory === undefined) return undefined;
  const floor = Math.min(memory.totalBytes * MEMORY_FLOOR_PART, MAX_MEMORY_FLOOR);
  if (memory.availableBytes >= (blocking ? floor * MEMORY_MARGIN : floor)) return undefined;
  const [available, total] = [memory.availableBytes, memory.totalBytes].map(readableBytes);
  return `this host is short of memory: ${available} of ${total} are available`;
}

/** Why nothing may be claimed: less memory is available than the owner has reserved; undefined: enough is, or it is not known. */
export function reserveProblem(
  memory: HostMemory | undefined,
  reserveBytes: number,
  blocking: boolean,
): string | undefined {
  if (memory === undefined) return undefined;
  const floor = Math.min(blocking ? reserveBytes * MEMORY_MARGIN : reserveBytes, memory.totalBytes);
  if (memory.availableBytes >= floor) return undefined;
  const available = readableBytes(memory.availableBytes);
  return `${available} of memory are available, less than --reserve-memory ${readableBytes(reserveBytes)}`;
}

/** The checks of disks and memory. `directories` may be known only later. */
export function resourceChecks(host: {
  readonly directories: () => readonly (string | undefined)[];
  readonly minFreeBytes: number;
  readonly freeBytes: (path: string) => number | undefined;
  /** The free part of a disk's inodes, 0 to 1. */
  readonly freeFiles: (path: string) => number | undefined;
  readonly memory: () => HostMemory | undefined;
  /** Of memory, for the owner. */
  readonly reserveBytes: number | undefined;
}): readonly AdmissionCheck[] {
  return [
    { name: 'disk', why: () => diskSpaceProblem(host.directories(), host.minFreeBytes, host.freeBytes) },
    { name: 'files', why: () => inodeProblem(host.directories(), host.freeFiles) },
    { name: 'memory', why: (blocking) => memoryProblem(host.memory(), blocking) },
    { name: 'reserve', why: (blocking) => reserveProblem(host.memory(), host.reserveBytes ?? 0, blocking) },
  ];
}
