import { GPU_FAULT_HINT, type GpuNotice, type GpuReading } from './gpu.ts';
import { sameBus } from './xid.ts';

/** The check that cordoned a GPU. Only the same check removes its cordon. */
export type CordonSource = 'probe' | 'xid' | 'breaker' | 'memory' | 'memory-leak' | 'temperature' | 'test';

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

/** The PCI address of each GPU seen so far, by uuid. */
export type GpuAddresses = ReadonlyMap<string, string>;

/** What is known of GPUs from before. */
export type SeenGpus = { readonly parents: MigParents; readonly addresses: GpuAddresses };

/**
 * The cordons that a poll calls for among the offered uuids of GPUs and slices. Pure. A GPU that is faulty, or missing
 * with all its slices, is cordoned once and not slice by slice.
 */
export function cordonsFromProbe(
  offered: ReadonlySet<string>,
  { gpus, notices }: GpuReading,
  { addresses, parents }: SeenGpus,
): ReadonlyMap<string, Cordon> {
  const here = new Set(gpus.flatMap((gpu) => [gpu.uuid, ...gpu.slices.map(({ uuid }) => uuid)]));
  const cordons = new Map<string, Cordon>();
  for (const uuid of offered) {
    const parent = parents.get(uuid) ?? uuid;
    const { fault, faultHint } = gpus.find((gpu) => gpu.uuid === parent) ?? {};
    if (fault !== undefined) cordons.set(parent, { why: fault, hint: faultHint ?? GPU_FAULT_HINT });
    else if (!here.has(uuid)) {
      const missing = here.has(parent) ? uuid : parent;
      cordons.set(missing, missingCordon(noticeAbout(addresses.get(parent), notices)));
    }
  }
  return cordons;
}

/** The notice that names a PCI address; undefined: none does. */
function noticeAbout(busId: string | undefined, notices: readonly GpuNotice[]): GpuNotice | undefined {
  if (busId === undefined) return undefined;
  return notices.find((notice) => notice.busId !== undefined && sameBus(notice.busId, busId));
}

function missingCordon(notice: GpuNotice | undefined): Cordon {
  const why = 'nvidia-smi no longer lists this GPU';
  if (notice === undefined) return { why, hint: GPU_FAULT_HINT };
  return { why: `${why}, and reports: ${notice.text}`, hint: notice.hint };
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
