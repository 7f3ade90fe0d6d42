/** Bytes at a container's network interface since its start, both as the job sees them. */
export type Traffic = { readonly sentBytes: number; readonly receivedBytes: number };

/** What the engine and the kernel know of a container's network. */
export type ContainerNetworkUse = {
  /** Its IPv4 address; null: it has none, or it is not known. */
  readonly address: string | null;
  /** Null: not known. */
  readonly traffic: Traffic | null;
};

/** A job's use of the network by one container. Times are milliseconds of the local wall clock. */
export type NetworkUse = ContainerNetworkUse & {
  readonly job: string;
  readonly container: string;
  readonly startedAt: number;
  /** Null: not ended, as far as this host knows. */
  readonly endedAt: number | null;
};

/** The newer of two readings of one container; what the newer does not know is kept from the older. Pure. */
export function mergeUse(older: ContainerNetworkUse, newer: ContainerNetworkUse): ContainerNetworkUse {
  return { address: newer.address ?? older.address, traffic: newer.traffic ?? older.traffic };
}

/** All bytes of both directions. */
export function totalBytes({ receivedBytes, sentBytes }: Traffic): number {
  return sentBytes + receivedBytes;
}
