import type { Gpu, GpuReading } from '../gpu.ts';
import type { GpuProcess } from '../gpu-memory.ts';
import type { Xid } from '../xid.ts';

/** Reads the GPUs of this host. Throws GPU_*; never hangs. */
export interface GpuProbe {
  read(signal: AbortSignal): Promise<GpuReading>;
  /** The processes that use GPU memory; absent if the host cannot list them. */
  processes?(signal: AbortSignal): Promise<readonly GpuProcess[]>;
  /** The minor numbers of the GPUs' device files, by uuid, as far as they are known; absent if nothing tells. */
  minors?(gpus: readonly Gpu[], signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
}

/** This host's kernel log, in which the Nvidia driver reports GPU errors. */
export interface KernelLog {
  /**
   * Passes every new Xid to `sink`. Settles when the signal aborts or the log ends; the log may be followed again.
   * Throws KERNEL_LOG_UNREADABLE if following again is useless.
   */
  follow(sink: (xid: Xid) => void, signal: AbortSignal): Promise<void>;
}
