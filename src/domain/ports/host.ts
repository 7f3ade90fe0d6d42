import type { MemoryFacts } from '../oom.ts';

/** The free space of a file system. */
export type DiskSpace = {
  /** Bytes that an unprivileged user can still write. */
  readonly freeBytes: number;
  /** The free part of its inodes, 0 to 1; 1 without a limit of inodes. */
  readonly freeInodes: number;
};

/** How full a file system is, in bytes. */
export type DiskUse = {
  /** What an unprivileged user can still write. */
  readonly freeBytes: number;
  /** What is used and what is free together: without the system's own reserve, as `df` counts its percentage. */
  readonly totalBytes: number;
};

/** The memory of this host, in bytes. */
export type HostMemory = {
  readonly totalBytes: number;
  /** What new programs can use without swapping. */
  readonly availableBytes: number;
};

/** Watches this host's memory while a container runs, until it is disposed of. */
export type MemoryObservation = Disposable & { facts(): MemoryFacts };

/**
 * Begins to watch a container, by the engine's id; the answer tells whether something outside halts it now without the engine's
 * knowledge. Never throws.
 */
export type HaltWatch = (container: string) => () => boolean;

/** This host's memory, as far as it explains the end of a job. */
export interface MemoryMonitor {
  /** Watches from now on; `container` is the engine's id. */
  watch(container: string): MemoryObservation;
}
