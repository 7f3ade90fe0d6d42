import { type CatalogueGpu, type Gpu, sliceShare } from './gpu.ts';
import { findNamed, type GpuMatch, matchGpu } from './match-gpu.ts';
import type { OfferPlan, Slot } from './offer.ts';

/** What the owner has set for the GPUs of one model. */
export type GpuTerms = {
  /** US dollars per job and minute; undefined: none was set. */
  readonly askPrice: number | undefined;
  /** The uuid, codename or name of the catalogue entry, where the owner has named one. */
  readonly catalogue: string | undefined;
  /** Jobs at once on each GPU; a MIG slice always takes one. */
  readonly slots: number;
};

/** What the owner has set. */
export type OfferSettings = {
  /** 0: no offer for CPU jobs. */
  readonly cpuSlots: number;
  /** For CPU jobs, in US dollars per job and minute; undefined: none was set. */
  readonly askPrice: number | undefined;
  /** Why no GPU may be offered at all; undefined: nothing speaks against it. */
  readonly refusal?: Why | undefined;
  /** The terms for a model as nvidia-smi names it. */
  readonly gpu: (model: string) => GpuTerms;
};

/** What keeps a GPU off the market, and what the owner can do about it. */
export type OfferProblem = { readonly what: string; readonly why: string; readonly hint: string };

/** A slot with all that decides which offer it belongs to. */
type Place = {
  readonly slot: Slot;
  readonly model: string;
  /** Undefined: the whole GPU. */
  readonly profile: string | undefined;
  readonly entry: CatalogueGpu;
  readonly askPrice: number;
};

/**
 * Decides what this host puts on the market: one offer per GPU model, one per model and profile of MIG slices, and
 * one for CPU jobs. Pure. What cannot be offered comes back as a problem and keeps nothing else off the market.
 */
export function planOffers(
  gpus: readonly Gpu[],
  catalogue: readonly CatalogueGpu[],
  settings: OfferSettings,
): { readonly offers: readonly OfferPlan[]; readonly problems: readonly OfferProblem[] } {
  const places: Place[] = [];
  const problems: OfferProblem[] = [];
  for (const gpu of gpus) {
    const placed = settings.refusal ?? placesOn(gpu, catalogue, settings.gpu(gpu.model));
    if ('why' in placed) {
      const { hint, why } = placed;
      problems.push({ what: `GPU ${gpu.index}, ${gpu.model} (${gpu.uuid})`, why, hint });
    } else places.push(...placed);
  }
  const offers = [...gpuOffers(places)];
  if (settings.cpuSlots > 0) {
    if (settings.askPrice !== undefined) offers.push(cpuOffer(settings.cpuSlots, settings.askPrice));
    else problems.push({ what: 'CPU jobs', why: NO_PRICE, hint: 'set --ask-price' });
  }
  return { offers, problems };
}

const NO_PRICE = 'no ask price is set for it';

type Why = Pick<OfferProblem, 'why' | 'hint'>;

function placesOn(gpu: Gpu, catalogue: readonly CatalogueGpu[], terms: GpuTerms): readonly Place[] | Why {
  if (gpu.fault !== undefined) {
    return {
      why: gpu.fault,
      hint: 'see what nvidia-smi and the kernel’s log say of it; it may need a reset',
    };
  }
  const { askPrice } = terms;
  if (askPrice === undefined) {
    return {
      why: NO_PRICE,
      hint: `set --ask-price, or [gpu."${gpu.model}"] ask-price in the configuration file`,
    };
  }
  const match =
    terms.catalogue === undefined ? matchGpu(gpu, catalogue) : findNamed(terms.catalogue, catalogue);
  if (match.kind !== 'match') return unmatched(gpu, match, terms);
  const { entry } = match;
  const { model } = gpu;
  if (!gpu.migMode) {
    return Array.from({ length: terms.slots }, (_, number) => {
      const slot = { id: `${gpu.uuid}#${number}`, gpu: gpu.uuid };
      return { slot, model, profile: undefined, entry, askPrice };
    });
  }
  if (gpu.slices.length === 0) {
    return {
      why: 'it is in MIG mode and has no slices',
      hint: `make some (sudo nvidia-smi mig -i ${gpu.index} -cgi PROFILE -C), or turn MIG mode off (sudo nvidia-smi -i ${gpu.index} -mig 0)`,
    };
  }
  return gpu.slices.map(({ profile, uuid }) => {
    return { slot: { id: `${uuid}#0`, gpu: uuid }, model, profile, entry, askPrice };
  });
}

function unmatched(gpu: Gpu, match: Exclude<GpuMatch, { kind: 'match' }>, terms: GpuTerms): Why {
  const named = terms.catalogue;
  const wanted = named === undefined ? 'this GPU' : `“${named}”`;
  const why =
    match.kind === 'none'
      ? `the broker’s catalogue has no entry for ${wanted}`
      : `the broker’s catalogue has several entries for ${wanted}`;
  const candidates = match.candidates.map(({ codename, name }) =>
    codename === '' ? name : `${codename} (${name})`,
  );
  const among = candidates.length === 0 ? '' : `: ${candidates.join(', ')}`;
  const hint = `name the right entry in the configuration file, [gpu."${gpu.model}"] catalogue = "..."${among}`;
  return { why, hint };
}

function gpuOffers(places: readonly Place[]): readonly OfferPlan[] {
  const byKey = Map.groupBy(places, (place) => keyOf(place, places));
  return [...byKey].flatMap(([key, members]) => {
    const [first] = members;
    if (first === undefined) return [];
    const { askPrice, entry, profile } = first;
    return {
      key,
      kind: 'gpu' as const,
      name: nameOf(first),
      gpu: entry,
      cudaCores: profile === undefined ? entry.cudaCores : Math.floor(entry.cudaCores * sliceShare(profile)),
      wholeGpu: profile === undefined,
      askPrice,
      slots: members.map(({ slot }) => slot),
    };
  });
}

/** Two sizes of one model have one name and two entries: then the codename of the entry tells the offers apart. */
function keyOf(place: Place, all: readonly Place[]): string {
  const oneEntry = all.every(({ entry, model }) => model !== place.model || entry.uuid === place.entry.uuid);
  return `gpu:${nameOf(place)}${oneEntry ? '' : ` (${place.entry.codename || place.entry.uuid})`}`;
}

function nameOf({ model, profile }: Place): string {
  return profile === undefined ? model : `${model} MIG ${profile}`;
}

function cpuOffer(slots: number, askPrice: number): OfferPlan {
  return {
    key: 'cpu',
    kind: 'cpu',
    name: 'CPU',
    gpu: null,
    cudaCores: 0,
    wholeGpu: false,
    askPrice,
    slots: Array.from({ length: slots }, (_, number) => ({ id: `cpu#${number}`, gpu: null })),
  };
}
