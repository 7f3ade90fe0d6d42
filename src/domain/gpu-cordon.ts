import { GPU_FAULT_HINT, type Gpu } from './gpu.ts';

/** The check that cordoned a GPU. Only the same check removes its cordon. */
export type CordonSource = 'probe' | 'xid' | 'breaker' | 'memory-leak';

/** Why a GPU gets no new jobs, and what its owner can do about it. */
export type Cordon = {
  readonly why: string;
  readonly hint: string;
  /** The cause may pass within seconds, so nothing is logged yet. */
  readonly quiet?: true;
};

/** A GPU or MIG slice with its name for people. */
export type GpuLabel = { readonly uuid: string; readonly name: string };

/** The uuid of each MIG slice seen so far, mapped to the uuid of its GPU. */
export type MigParents = ReadonlyMap<string, string>;

/**
 * The cordons that a poll calls for among the offered uuids of GPUs and slices. Pure. A GPU that is faulty, or missing
 * with all its slices, is cordoned once and not slice by slice.
 */
export function cordonsFromProbe(
  offered: ReadonlySet<string>,
  gpus: readonly Gpu[],
  parents: MigParents,
): ReadonlyMap<string, Cordon> {
  const here = new Set(gpus.flatMap((gpu) => [gpu.uuid, ...gpu.slices.map(({ uuid }) => uuid)]));
  const cordons = new Map<string, Cordon>();
  for (const uuid of offered) {
    const parent = parents.get(uuid) ?? uuid;
    const fault = gpus.find((gpu) => gpu.uuid === parent)?.fault;
    if (fault !== undefined) cordons.set(parent, { why: fault, hint: GPU_FAULT_HINT });
    else if (!here.has(uuid)) {
      const missing = here.has(parent) ? uuid : parent;
      cordons.set(missing, { why: 'nvidia-smi no longer lists this GPU', hint: GPU_FAULT_HINT });
    }
  }
  return cordons;
}

/** All uuids that get no new jobs: the cordoned ones and the slices of cordoned GPUs. Pure. */
export function withSlices(cordoned: Iterable<string>, parents: MigParents): ReadonlySet<string> {
  const all = new Set(cordoned);
  for (const [slice, parent] of parents) if (all.has(parent)) all.add(slice);
  return all;
}

const MIN_POLL_MS = 5_000;
const MAX_POLL_MS = 60_000;

/** The milliseconds until the next poll, `polls` polls after an anomaly: 5 s, doubling to a minute. */
export function nextPollMs(polls: number): number {
  return Math.min(MIN_POLL_MS * 2 ** Math.min(polls, 10), MAX_POLL_MS);
}
