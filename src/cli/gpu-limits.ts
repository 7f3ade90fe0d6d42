import type { QueryLimits } from './query.ts';

/** A query of the GPUs makes at most so many calls of nvidia-smi; the first one that hangs ends it. */
const MAX_CALLS = 3;
const MARGIN_MS = 1_000;

/** The deadline of a query of the GPUs, where each call of nvidia-smi has this deadline, in milliseconds. */
export function gpuLimits(callMs: number): QueryLimits {
  return {
    ms: MAX_CALLS * callMs + MARGIN_MS,
    code: 'GPU_PROBE_HUNG',
    who: 'nvidia-smi',
    hint: 'run nvidia-smi by hand, and look for Xid lines in the kernel’s log: journalctl -k | grep Xid',
  };
}
