/** What is left of a file system. */
export type DiskRoom = {
  /** The bytes that an ordinary user may still write. */
  readonly bytes: number;
  /** The free part of its inodes, 0 to 1; 1 where it has no limit of them. */
  readonly files: number;
};

/** The memory of this host, in bytes. */
export type HostMemory = {
  readonly totalBytes: number;
  /** What new programs can have without swapping. */
  readonly availableBytes: number;
};
