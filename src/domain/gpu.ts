/** A MIG slice of a GPU; it makes one slot. `profile` is Nvidia's, such as `1g.18gb`. */
export type MigSlice = { readonly uuid: string; readonly profile: string };

/** One GPU of this host, identified by uuid because the index may change at boot. Unknown figures are undefined. */
export type Gpu = {
  readonly uuid: string;
  readonly index: number;
  /** The name in nvidia-smi, such as `NVIDIA GeForce GTX 1080 Ti`. */
  readonly model: string;
  readonly busId: string;
  readonly driver: string;
  readonly memoryTotalMiB: number | undefined;
  readonly memoryUsedMiB: number | undefined;
  /** What the driver keeps for itself beside `memoryUsedMiB`. */
  readonly memoryReservedMiB?: number | undefined;
  readonly utilizationPercent: number | undefined;
  readonly temperatureC: number | undefined;
  readonly powerDrawW: number | undefined;
  readonly powerLimitW: number | undefined;
  readonly migMode: boolean;
  readonly slices: readonly MigSlice[];
  /** Why this GPU must not get jobs (requires a reset, lost); undefined: none known. */
  readonly fault: string | undefined;
  /** The hint for `fault`; undefined: GPU_FAULT_HINT. */
  readonly faultHint?: string | undefined;
  /** What its owner should know although it works. */
  readonly warnings?: readonly GpuWarning[];
  /** Whether its compute mode lets only one process at a time compute on it. */
  readonly exclusive?: boolean;
  /** Whether it drives a display; undefined: unknown. */
  readonly displayActive?: boolean | undefined;
  /** Whether persistence mode is on; undefined: unknown. */
  readonly persistence?: boolean | undefined;
};

/** What is odd about a GPU that works, and what can be done about it. */
export type GpuWarning = { readonly why: string; readonly hint: string };

/** A line of nvidia-smi that is no row of its table: an error or a warning. */
export type GpuNotice = {
  /** The line, escaped and bounded. */
  readonly text: string;
  readonly hint: string;
  /** The PCI address in it; undefined: it names none. */
  readonly busId: string | undefined;
};

/** What nvidia-smi has shown: all GPUs that it lists, and what else it said. */
export type GpuReading = { readonly gpus: readonly Gpu[]; readonly notices: readonly GpuNotice[] };

/** The hint for a GPU that the driver reports as faulty. */
export const GPU_FAULT_HINT =
  'see nvidia-smi and the kernel log (journalctl -k | grep Xid) for this GPU; reset it if they say so';

/**
 * Whether a GPU has no memory of its own: its driver knows neither its size nor its use, and it shares the host's (GB10
 * in a DGX Spark).
 */
export function sharesHostMemory({ memoryTotalMiB, memoryUsedMiB }: Gpu): boolean {
  return memoryTotalMiB === undefined && memoryUsedMiB === undefined;
}

/** An entry of the broker's catalogue of GPU models. */
export type CatalogueGpu = {
  readonly uuid: string;
  readonly name: string;
  readonly codename: string;
  readonly cudaCores: number;
};

/** The share of a GPU's cores that a MIG profile has, in sevenths: `3g.40gb` has 3/7, `1c.3g.40gb` 1/7. */
export function sliceShare(profile: string): number {
  const found = /^(?:(\d+)c\.)?(\d+)g\./.exec(profile);
  return found === null ? 0 : Math.min(Number(found[1] ?? found[2]), 7) / 7;
}
