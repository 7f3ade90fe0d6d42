import type { CatalogueGpu, Gpu } from './gpu.ts';
import { type GpuName, parseGpuName, sameWords } from './gpu-name.ts';
import { type NamedGpu, plain } from './named-catalogue.ts';

/** The catalogue entry of a GPU. `candidates` are similar entries from which the owner may choose. */
export type GpuMatch =
  | { readonly kind: 'match'; readonly entry: CatalogueGpu }
  | { readonly kind: 'none' | 'ambiguous'; readonly candidates: readonly CatalogueGpu[] };

/** The facts by which a GPU is matched. */
export type LocalGpu = Pick<Gpu, 'model' | 'memoryTotalMiB'>;

/** A GPU reports less memory than it is sold with: a Tesla T4 of 16 GB has 15360 MiB, or 14.8 GiB with ECC. */
const MIN_SHARE_OF_SOLD = 0.87;
const MAX_SHARE_OF_SOLD = 1.04;
const MAX_CANDIDATES = 5;

/**
 * Finds a GPU in the catalogue: same words and a size that fits, ranked by form factor, then by nearest size. Never guesses:
 * two equal matches are `ambiguous`, a different word (Ti, SUPER, Laptop) is `none`.
 */
export function matchGpu(gpu: LocalGpu, catalogue: readonly NamedGpu[]): GpuMatch {
  const local = parseGpuName(gpu.model);
  const fitting = catalogue
    .filter(({ name }) => sameWords(local, name) && formFits(local, name))
    .map((one) => ({ ...one, distance: distance(gpu, local, one.name) }))
    .filter((one) => one.distance !== undefined)
    .map((one) => ({ entry: one.entry, rank: rank(local, one.name, one.distance ?? 0) }));
  const best = fitting.reduce((least, one) => Math.min(least, one.rank), Number.POSITIVE_INFINITY);
  const bests = fitting.filter((one) => one.rank === best).map(({ entry }) => entry);
  const [entry] = bests;
  if (entry !== undefined && bests.length === 1) return { kind: 'match', entry };
  if (entry !== undefined) return { kind: 'ambiguous', candidates: bests.slice(0, MAX_CANDIDATES) };
  const near = catalogue.filter(({ name }) => isNear(local, name)).map(({ entry }) => entry);
  return { kind: 'none', candidates: near.slice(0, MAX_CANDIDATES) };
}

/** Finds the entry that the owner named by uuid, codename or name; case and repeated blanks do not matter. */
export function findNamed(wanted: string, catalogue: readonly NamedGpu[]): GpuMatch {
  const text = plain(wanted);
  const found = catalogue.filter((one) => one.plain.includes(text)).map(({ entry }) => entry);
  const [entry] = found;
  if (entry !== undefined && found.length === 1) return { kind: 'match', entry };
  return { kind: entry === undefined ? 'none' : 'ambiguous', candidates: found.slice(0, MAX_CANDIDATES) };
}

/** An entry with a form factor matches only that form; an entry without one matches all. */
function formFits(local: GpuName, entry: GpuName): boolean {
  return entry.form === undefined || entry.form === local.form;
}

/** The difference in size, as a share of the entry's; undefined: too different to be the same product. */
function distance(gpu: LocalGpu, local: GpuName, entry: GpuName): number | undefined {
  // The size in a name may include other memory (GH200 480GB); the catalogue's name then includes it too.
  if (entry.sizeGb === undefined || entry.sizeGb === local.sizeGb) return 0;
  const sizeGb = gpu.memoryTotalMiB === undefined ? local.sizeGb : gpu.memoryTotalMiB / 1024;
  if (sizeGb === undefined) return 0;
  const share = sizeGb / entry.sizeGb;
  return share >= MIN_SHARE_OF_SOLD && share <= MAX_SHARE_OF_SOLD ? Math.abs(1 - share) : undefined;
}

/** Smaller is better. An entry with a form or a size ranks before one without. */
function rank(local: GpuName, entry: GpuName, distanceShare: number): number {
  return (entry.form === local.form ? 0 : 10) + (entry.sizeGb === undefined ? 1 : 0) + distanceShare;
}

/** Whether all words of one name are in the other: a variant of the same chip. */
function isNear(local: GpuName, entry: GpuName): boolean {
  const [few, many] = local.words.length < entry.words.length ? [local, entry] : [entry, local];
  return few.words.length > 0 && few.words.every((word) => many.words.includes(word));
}
