import { type CatalogueGpu, GPU_FAULT_HINT, type Gpu, sliceShare } from './gpu.ts';
import { findNamed, type GpuMatch, matchGpu } from './match-gpu.ts';
import type { NamedGpu } from './named-catalogue.ts';
import type { OfferPlan, Slot } from './offer.ts';

/** The owner's settings for the GPUs of one model. */
export type GpuTerms = {
  /** US dollars per job and minute; undefined: not set. */
  readonly askPrice: number | undefined;
  /** The uuid, codename or name of the catalogue entry; undefined: matched by the model's name. */
  readonly catalogue: string | undefined;
  /** Jobs at once per GPU; a MIG slice always takes one. */
  readonly slots: number;
};

/** The owner's settings for all offers. */
export type OfferSettings = {
  /** Jobs at once on the CPU; 0: no CPU offer. */
  readonly cpuSlots: number;
  /** For CPU jobs, in US dollars per job and minute; undefined: not set. */
  readonly askPrice: number | undefined;
  /** Why no GPU may be offered; undefined: GPUs may be offered. */
  readonly refusal?: Reason | undefined;
  /** Why this GPU may not be offered in the jobs' runtime; undefined: it may. Absent: every GPU may. */
  readonly unsuitable?: (gpu: Gpu) => Reason | undefined;
  /** The terms for a model as named by nvidia-smi. */
  readonly gpu: (model: string) => GpuTerms;
};

/** What this host can offer, and what it cannot. */
export type HostPlan = {
  readonly offers: readonly OfferPlan[];
  readonly problems: readonly OfferProblem[];
  /** What the owner should know about what is offered, such as fewer slots than were set. */
  readonly notes?: readonly OfferProblem[];
};

/** Why something is not offered, or not as it was set, and what the owner can do about it. */
export type OfferProblem = { readonly what: string; readonly why: string; readonly hint: string };

/** A slot with the facts that decide its offer. */
type Candidate = {
  readonly slot: Slot;
  readonly model: string;
  /** The MIG profile; undefined: the whole GPU. */
  readonly profile: string | undefined;
  readonly entry: CatalogueGpu;
  readonly askPrice: number;
};

/**
 * Plans this host's offers: one per GPU model, one per model and MIG profile, and one for CPU jobs. Pure. A GPU that cannot
 * be offered becomes a problem and does not affect the others.
 */
export function planOffers(
  gpus: readonly Gpu[],
  catalogue: readonly NamedGpu[],
  settings: OfferSettings,
): HostPlan {
  const candidates: Candidate[] = [];
  const problems: OfferProblem[] = [];
  const match = matcherOf(catalogue);
  for (const gpu of gpus) {
    const found =
      settings.refusal ?? settings.unsuitable?.(gpu) ?? candidatesOf(gpu, match, settings.gpu(gpu.model));
    if ('why' in found) {
      const { hint, why } = found;
      problems.push({ what: `GPU ${gpu.index}, ${gpu.model} (${gpu.uuid})`, why, hint });
    } else candidates.push(...found);
  }
  const offers = [...gpuOffers(candidates)];
  const offered = new Set(candidates.map(({ slot }) => slot.gpu));
  const notes = gpus.flatMap((gpu) => (offered.has(gpu.uuid) ? slotNotes(gpu, settings.gpu(gpu.model)) : []));
  if (settings.cpuSlots > 0) {
    if (settings.askPrice !== undefined) offers.push(cpuOffer(settings.cpuSlots, settings.askPrice));
    else problems.push({ what: 'CPU jobs', why: NO_PRICE, hint: 'set --ask-price' });
  }
  return { offers, problems, notes };
}

const NO_PRICE = 'no ask price is set';

type Reason = Pick<OfferProblem, 'why' | 'hint'>;

type Matcher = (gpu: Gpu, terms: GpuTerms) => GpuMatch;

/** Matches GPUs, equal ones once: a host has eight of a model, and the broker a long catalogue. */
function matcherOf(catalogue: readonly NamedGpu[]): Matcher {
  const known = new Map<string, GpuMatch>();
  return (gpu, terms) => {
    const key = JSON.stringify([gpu.model, gpu.memoryTotalMiB, terms.catalogue]);
    const match =
      known.get(key) ??
      (terms.catalogue === undefined ? matchGpu(gpu, catalogue) : findNamed(terms.catalogue, catalogue));
    known.set(key, match);
    return match;
  };
}

function candidatesOf(gpu: Gpu, matchOf: Matcher, terms: GpuTerms): readonly Candidate[] | Reason {
  if (gpu.fault !== undefined) {
    return {
      why: gpu.fault,
      hint: gpu.faultHint ?? GPU_FAULT_HINT,
    };
  }
  const { askPrice } = terms;
  if (askPrice === undefined) {
    return {
      why: NO_PRICE,
      hint: `set --ask-price, or [gpu."${gpu.model}"] ask-price in the configuration file`,
    };
  }
  const match = matchOf(gpu, terms);
  if (match.kind !== 'match') return unmatched(gpu, match, terms);
  const { entry } = match;
  const { model } = gpu;
  if (!gpu.migMode) {
    const slots = gpu.exclusive === true ? 1 : terms.slots;
    return Array.from({ length: slots }, (_, number) => {
      const slot = { id: `${gpu.uuid}#${number}`, gpu: gpu.uuid };
      return { slot, model, profile: undefined, entry, askPrice };
    });
  }
  if (gpu.slices.length === 0) {
    return {
      why: 'the GPU is in MIG mode and has no slices',
      hint: `create slices (sudo nvidia-smi mig -i ${gpu.index} -cgi PROFILE -C) or turn MIG mode off (sudo nvidia-smi -i ${gpu.index} -mig 0)`,
    };
  }
  return gpu.slices.map(({ profile, uuid }) => {
    return { slot: { id: `${uuid}#0`, gpu: uuid }, model, profile, entry, askPrice };
  });
}

/** What the owner should know about several slots on a GPU; a MIG slice has one. Pure. */
export function slotNotes(gpu: Gpu, { slots }: GpuTerms): readonly OfferProblem[] {
  if (slots <= 1 || gpu.migMode) return [];
  const { index, model, uuid } = gpu;
  const what = `GPU ${index}, ${model} (${uuid})`;
  if (gpu.exclusive === true) {
    const why = `its compute mode lets one process at a time compute on it, so it has 1 slot instead of ${slots}`;
    return [{ what, why, hint: `for ${slots} slots run sudo nvidia-smi -c 0 -i ${index}; else set 1 slot` }];
  }
  const why = `its ${slots} jobs share its memory without limits: one of them can leave no memory to the others`;
  return [{ what, why, hint: 'set --slots-per-gpu 1, unless your jobs are known to be small' }];
}

/** Names of vGPUs: the card, its size in GB and the kind of licence, such as `NVIDIA A40-8Q` or `GRID A100D-1-10C`. */
const VIRTUAL = /^(?:NVIDIA|GRID) .*-\d+[ABCQ](?:ME)?$/i;
const SHARE_OF_A_CARD: Reason = {
  why: 'it is a virtual GPU (vGPU), a share of a card that the broker’s catalogue does not have',
  hint: 'run the agent where the whole card is, or pass the card through to this virtual machine',
};

function unmatched(gpu: Gpu, match: Exclude<GpuMatch, { kind: 'match' }>, terms: GpuTerms): Reason {
  const named = terms.catalogue;
  if (named === undefined && VIRTUAL.test(gpu.model)) return SHARE_OF_A_CARD;
  const wanted = named === undefined ? 'this GPU' : `“${named}”`;
  const why =
    match.kind === 'none'
      ? `the broker’s catalogue has no entry for ${wanted}`
      : `the broker’s catalogue has several entries for ${wanted}`;
  const names = match.candidates.map(({ codename, name }) =>
    codename === '' ? name : `${codename} (${name})`,
  );
  const among = names.length === 0 ? '' : `: ${names.join(', ')}`;
  const hint = `name the entry in the configuration file, [gpu."${gpu.model}"] catalogue = "..."${among}`;
  return { why, hint };
}

function gpuOffers(candidates: readonly Candidate[]): readonly OfferPlan[] {
  const byKey = Map.groupBy(candidates, (candidate) => keyOf(candidate, candidates));
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

/** Two sizes of one model have the same name but two entries; the entry's codename then distinguishes the keys. */
function keyOf(candidate: Candidate, all: readonly Candidate[]): string {
  const { entry, model } = candidate;
  const oneEntry = all.every((other) => other.model !== model || other.entry.uuid === entry.uuid);
  return `gpu:${nameOf(candidate)}${oneEntry ? '' : ` (${entry.codename || entry.uuid})`}`;
}

function nameOf({ model, profile }: Candidate): string {
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
