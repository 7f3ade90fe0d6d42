import type { Gpu } from '../gpu.ts';
import type { GpuProcess } from '../gpu-memory.ts';
import type { Xid } from '../xid.ts';

/** Reads the GPUs of this host. Throws GPU_*; never hangs. */
export interface GpuProbe {
  gpus(signal: AbortSignal): Promise<readonly Gpu[]>;
  /** The processes that hold memory of a GPU, where the host can tell. */
  processes?(signal: AbortSignal): Promise<readonly GpuProcess[]>;
}

/** The log of this host's kernel, in which the driver tells of GPUs that are sick. */
export interface KernelLog {
  /**
   * Hands on every Xid from now on. Settles when the signal aborts, and where the log breaks off: then it may be
   * followed again. Throws KERNEL_LOG_UNREADABLE where that would be of no use.
   */
  follow(sink: (xid: Xid) => void, signal: AbortSignal): Promise<void>;
}
