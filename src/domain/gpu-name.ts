/** The parts of a GPU's product name. */
export type GpuName = {
  /** The words that distinguish models (`rtx`, `4080`, `super`), in alphabetic order. */
  readonly words: readonly string[];
  /** The form factor, if the name has it; data centre GPUs differ by it. */
  readonly form: 'sxm' | 'pcie' | 'nvl' | undefined;
  /** The memory size in the name, in GB as sold. */
  readonly sizeGb: number | undefined;
};

/** Words that do not distinguish models. `quadro` does: a Quadro RTX 6000 is not an RTX 6000. */
const NOISE =
  /^(?:nvidia|geforce|tesla|gpu|graphics|card|corporation|generation|edition|with|design|hbm\d\w?)$/;

const SIZE = /(?:^|\s)(\d+(?:\.\d+)?) ?gi?b?(?=\s|$)/;

/** Parses a product name from nvidia-smi (`NVIDIA A100-SXM4-40GB`) or from a catalogue. */
export function parseGpuName(name: string): GpuName {
  const plain = name
    .toLowerCase()
    .replace(/\((?:r|tm|c)\)/g, ' ')
    .replace(/max-q/g, 'maxq')
    .replace(/[^a-z0-9.]+/g, ' ')
    .replace(/\b(gtx|rtx|gt)(?=\d)/g, '$1 ')
    .replace(/(\d)(ti|super)\b/g, '$1 $2')
    .replace(/\bmobile\b/g, 'laptop')
    .trim();
  const size = SIZE.exec(plain)?.[1];
  const words = plain.replace(SIZE, ' ').split(' ').filter(Boolean);
  return {
    words: words.filter((word) => !NOISE.test(word) && formOf(word) === undefined).sort(),
    form: words.map(formOf).find((form) => form !== undefined) ?? impliedForm(words),
    sizeGb: size === undefined ? undefined : Number(size),
  };
}

/** Whether two names have the same distinguishing words, and at least one. */
export function sameWords(a: GpuName, b: GpuName): boolean {
  return (
    a.words.length > 0 &&
    a.words.length === b.words.length &&
    a.words.every((word, at) => word === b.words[at])
  );
}

function formOf(word: string): GpuName['form'] {
  if (/^sxm\d?$/.test(word)) return 'sxm';
  return word === 'pcie' || word === 'nvl' ? word : undefined;
}

/** The driver calls an H100 SXM `H100 80GB HBM3`; the names of the other boards contain their form. */
function impliedForm(words: readonly string[]): GpuName['form'] {
  return words.includes('h100') && words.includes('hbm3') ? 'sxm' : undefined;
}
