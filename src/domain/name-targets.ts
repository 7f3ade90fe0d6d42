import { CPU_TARGET, type Target } from './hold.ts';
import { ALL_TARGETS } from './owner-decisions.ts';

/** A GPU as an owner may name it. */
export type NameableGpu = {
  readonly uuid: string;
  readonly index: number;
  readonly model: string;
  /** The minor number of its device file, as in `/dev/nvidia0`; undefined: not known. */
  readonly minor?: number | undefined;
  readonly slices: readonly { readonly uuid: string }[];
};

/** How an owner names targets; none at all: everything. */
export type TargetNames = { readonly names: readonly string[]; readonly minors: readonly number[] };

/** The targets that were named, or the names that nothing here has. */
export type Resolved =
  | { readonly kind: 'targets'; readonly targets: readonly Target[] | typeof ALL_TARGETS }
  | { readonly kind: 'unknown'; readonly unknown: readonly string[] };

/** A uuid of a GPU or slice, whole. */
const WHOLE_UUID = /^(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** So much of a uuid names a GPU. */
const MIN_PREFIX = 4;

/**
 * Finds the targets of names: `cpu`, an index, a uuid or its beginning, or a part of a model's name, which may name several
 * GPUs; and of minor numbers. Pure. A GPU comes with its slices. `trusting` takes a whole uuid of a GPU that is not here.
 */
export function nameTargets(
  { minors, names }: TargetNames,
  gpus: readonly NameableGpu[],
  trusting = false,
): Resolved {
  if (names.length === 0 && minors.length === 0) return { kind: 'targets', targets: ALL_TARGETS };
  if (names.includes(ALL_TARGETS) && minors.length === 0 && names.length === 1)
    return { kind: 'targets', targets: ALL_TARGETS };
  const targets = new Set<Target>();
  const unknown: string[] = [];
  const add = (found: readonly Target[], name: string): void => {
    if (found.length === 0) unknown.push(name);
    for (const target of found) targets.add(target);
  };
  for (const name of names) add(targetsOf(name, gpus, trusting), name);
  for (const minor of minors)
    add(gpus.filter((gpu) => gpu.minor === minor).flatMap(withSlicesOf), `minor number ${minor}`);
  return unknown.length > 0 ? { kind: 'unknown', unknown } : { kind: 'targets', targets: [...targets] };
}

function targetsOf(name: string, gpus: readonly NameableGpu[], trusting: boolean): readonly Target[] {
  const word = name.toLowerCase();
  if (word === CPU_TARGET) return [CPU_TARGET];
  if (/^\d{1,3}$/.test(word)) {
    const byIndex = gpus.filter(({ index }) => index === Number(word));
    // Some models are called by three digits, such as a GTX 980; no host has so many GPUs.
    if (byIndex.length > 0 || word.length < 3) return byIndex.flatMap(withSlicesOf);
  }
  const byUuid = [
    ...gpus.filter(({ uuid }) => begins(uuid, word)).flatMap(withSlicesOf),
    ...gpus.flatMap(({ slices }) => slices.filter(({ uuid }) => begins(uuid, word)).map(({ uuid }) => uuid)),
  ];
  if (byUuid.length > 0) return byUuid;
  if (WHOLE_UUID.test(name)) return trusting ? [name] : [];
  return word === ''
    ? []
    : gpus.filter(({ model }) => model.toLowerCase().includes(word)).flatMap(withSlicesOf);
}

/** Whether a uuid begins so, with or without `GPU-`. */
function begins(uuid: string, word: string): boolean {
  const whole = uuid.toLowerCase();
  const bare = whole.replace(/^(?:gpu|mig)-/, '');
  const isLong = word.replace(/^(?:gpu|mig)-/, '').length >= MIN_PREFIX;
  return isLong && (whole.startsWith(word) || bare.startsWith(word));
}

function withSlicesOf({ slices, uuid }: NameableGpu): readonly Target[] {
  return [uuid, ...slices.map((slice) => slice.uuid)];
}
