/** The free space of a file system. */
export type DiskSpace = {
  /** Bytes that an unprivileged user can still write. */
  readonly freeBytes: number;
  /** The free part of its inodes, 0 to 1; 1 without a limit of inodes. */
  readonly freeInodes: number;
};

/** The memory of this host, in bytes. */
export type HostMemory = {
  readonly totalBytes: number;
  /** What new programs can use without swapping. */
  readonly availableBytes: number;
};
