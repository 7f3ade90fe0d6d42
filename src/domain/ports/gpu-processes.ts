import type { ProcessRound } from '../foreign-use.ts';

/** The processes on this host's GPUs, as they come and go. */
export interface GpuProcesses {
  /**
   * Passes on a round of all processes every second until the signal aborts, or until that fails. `gpus` are the uuids by
   * index. Throws GPU_PROBE_FAILED, GPU_PROBE_HUNG, and nothing after an abort.
   */
  follow(
    gpus: ReadonlyMap<number, string>,
    onRound: (round: ProcessRound) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
