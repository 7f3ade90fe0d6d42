import type { Gpu } from './gpu.ts';

/** Who found something against a GPU; each takes back what it has said itself. */
export type CordonSource = 'probe' | 'xid' | 'breaker' | 'leftovers';

/** Why a GPU must get no new jobs, and what its owner can do about it. */
export type Cordon = {
  readonly why: string;
  readonly hint: string;
  /** It may be over in a moment: not worth telling yet. */
  readonly quiet?: true;
};

/** A GPU or slice as it is named to people. */
export type GpuName = { readonly uuid: string; readonly name: string };

/** The slices' GPUs: the uuid of each slice that was ever seen, and of the GPU that it is cut from. */
export type MigParents = ReadonlyMap<string, string>;

const SEE =
  'see what nvidia-smi and the kernel’s log say of it (journalctl -k | grep Xid); it may need a reset';

/**
 * What a look says against the GPUs on offer (uuids of GPUs and slices). Pure. A GPU that is not well, or gone with
 * all its slices, is named once and not slice by slice.
 */
export function cordonsFromProbe(
  offered: ReadonlySet<string>,
  gpus: readonly Gpu[],
  family: MigParents,
): ReadonlyMap<string, Cordon> {
  const here = new Set(gpus.flatMap((gpu) => [gpu.uuid, ...gpu.slices.map(({ uuid }) => uuid)]));
  const troubles = new Map<string, Cordon>();
  for (const uuid of offered) {
    const parent = family.get(uuid) ?? uuid;
    const fault = gpus.find((gpu) => gpu.uuid === parent)?.fault;
    if (fault !== undefined) troubles.set(parent, { why: fault, hint: SEE });
    else if (!here.has(uuid)) {
      const gone = here.has(parent) ? uuid : parent;
      troubles.set(gone, { why: 'it is not there any more', hint: SEE });
    }
  }
  return troubles;
}

/** All uuids that must get no new jobs: those in trouble, and the slices of GPUs in trouble. Pure. */
export function withSlices(troubled: Iterable<string>, family: MigParents): ReadonlySet<string> {
  const out = new Set(troubled);
  for (const [slice, parent] of family) if (out.has(parent)) out.add(slice);
  return out;
}

/** Looks follow each other this closely after something smelled, and then ever less so. */
const FIRST_LOOK_MS = 5_000;
/** The GPUs are looked at this often while all is well. */
const EVERY_MS = 60_000;

/** How long after a look the next one comes, `looks` looks after something has smelled. */
export function nextPollMs(looks: number): number {
  return Math.min(FIRST_LOOK_MS * 2 ** Math.min(looks, 10), EVERY_MS);
}
