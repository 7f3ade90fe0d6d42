import type { CatalogueGpu, Gpu } from './gpu.ts';
import { type GpuName, parseGpuName, sameWords } from './gpu-name.ts';

/** Which entry of the broker's catalogue a GPU is. `candidates` are those that come near, for people to choose from. */
export type GpuMatch =
  | { readonly kind: 'match'; readonly entry: CatalogueGpu }
  | { readonly kind: 'none' | 'ambiguous'; readonly candidates: readonly CatalogueGpu[] };

/** What is known here of a GPU when it is looked up. */
export type LocalGpu = Pick<Gpu, 'model' | 'memoryTotalMiB'>;

type Named = { readonly entry: CatalogueGpu; readonly name: GpuName };

/**
 * A GPU reports less memory than it is sold with (a Tesla T4 of 16 GB has 15360 MiB, 14.8 GiB with ECC), never
 * notably more.
 */
const LEAST_OF_SOLD = 0.87;
const MOST_OF_SOLD = 1.04;
const MOST_CANDIDATES = 5;

/**
 * Finds a GPU in the catalogue: same words, a size that fits, then the same board form, then the nearest size. Never
 * guesses: two that are equally good are `ambiguous`, one that differs in a word (Ti, SUPER, Laptop) is `none`.
 */
export function matchGpu(gpu: LocalGpu, catalogue: readonly CatalogueGpu[]): GpuMatch {
  const local = parseGpuName(gpu.model);
  const named = catalogue.map((entry): Named => ({ entry, name: parseGpuName(entry.name) }));
  const fitting = named
    .filter(({ name }) => sameWords(local, name) && formFits(local, name))
    .map((one) => ({ ...one, distance: distance(gpu, local, one.name) }))
    .filter((one) => one.distance !== undefined)
    .map((one) => ({ entry: one.entry, rank: rank(local, one.name, one.distance ?? 0) }));
  const best = Math.min(...fitting.map((one) => one.rank));
  const bests = fitting.filter((one) => one.rank === best).map(({ entry }) => entry);
  const [entry] = bests;
  if (entry !== undefined && bests.length === 1) return { kind: 'match', entry };
  if (entry !== undefined) return { kind: 'ambiguous', candidates: bests };
  const near = named.filter(({ name }) => isNear(local, name)).map(({ entry }) => entry);
  return { kind: 'none', candidates: near.slice(0, MOST_CANDIDATES) };
}

/** Finds the entry that the owner has named, by uuid, codename or name; blanks and upper case make no difference. */
export function findNamed(wanted: string, catalogue: readonly CatalogueGpu[]): GpuMatch {
  const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ').trim();
  const found = catalogue.filter(({ codename, name, uuid }) =>
    [uuid, codename, name].some((text) => plain(text) === plain(wanted)),
  );
  const [entry] = found;
  if (entry !== undefined && found.length === 1) return { kind: 'match', entry };
  return { kind: entry === undefined ? 'none' : 'ambiguous', candidates: found };
}

/** A catalogue that tells the forms of a board apart means it; one that does not takes all. */
function formFits(local: GpuName, entry: GpuName): boolean {
  return entry.form === undefined || entry.form === local.form;
}

/** How far the sizes are apart, as a share of the entry's; undefined where it cannot be the same product. */
function distance(gpu: LocalGpu, local: GpuName, entry: GpuName): number | undefined {
  // A name may count other memory in (GH200 480GB), and then the catalogue's will too.
  if (entry.sizeGb === undefined || entry.sizeGb === local.sizeGb) return 0;
  const sizeGb = gpu.memoryTotalMiB === undefined ? local.sizeGb : gpu.memoryTotalMiB / 1024;
  if (sizeGb === undefined) return 0;
  const share = sizeGb / entry.sizeGb;
  return share >= LEAST_OF_SOLD && share <= MOST_OF_SOLD ? Math.abs(1 - share) : undefined;
}

/** Smaller is better. An entry that says form or size counts before one that leaves it open. */
function rank(local: GpuName, entry: GpuName, apart: number): number {
  return (entry.form === local.form ? 0 : 10) + (entry.sizeGb === undefined ? 1 : 0) + apart;
}

/** Whether all words of one are in the other: the same chip in another dress, or another size. */
function isNear(local: GpuName, entry: GpuName): boolean {
  const [few, many] = local.words.length < entry.words.length ? [local, entry] : [entry, local];
  return few.words.length > 0 && few.words.every((word) => many.words.includes(word));
}
