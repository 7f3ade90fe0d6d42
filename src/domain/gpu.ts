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
  readonly utilizationPercent: number | undefined;
  readonly temperatureC: number | undefined;
  readonly powerDrawW: number | undefined;
  readonly powerLimitW: number | undefined;
  readonly migMode: boolean;
  readonly slices: readonly MigSlice[];
  /** Why this GPU must not get jobs (requires a reset, lost); undefined: none known. */
  readonly fault: string | undefined;
};

/** The hint for a GPU that the driver reports as faulty. */
export const GPU_FAULT_HINT =
  'see nvidia-smi and the kernel log (journalctl -k | grep Xid) for this GPU; reset it if they say so';

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
