/** A GPU's product name taken apart. */
export type GpuName = {
  /** What tells models apart (`rtx`, `4080`, `super`), in alphabetic order. */
  readonly words: readonly string[];
  /** How the board is built, where the name says so: data centre GPUs differ by it. */
  readonly form: 'sxm' | 'pcie' | 'nvl' | undefined;
  /** The size in the name, in GB as it is sold. */
  readonly sizeGb: number | undefined;
};

/** Words that tell no two models apart. Quadro does: a Quadro RTX 6000 is no RTX 6000. */
const NOISE =
  /^(?:nvidia|geforce|tesla|gpu|graphics|card|corporation|generation|edition|with|design|hbm\d\w?)$/;

const SIZE = /(?:^|\s)(\d+(?:\.\d+)?) ?gi?b?(?=\s|$)/;

/** Takes a product name apart, as nvidia-smi says it (`NVIDIA A100-SXM4-40GB`) or as a catalogue does. */
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

/** Whether two names are made of the same telling words; none at all are never the same. */
export function sameWords(a: GpuName, b: GpuName): boolean {
  return a.words.length > 0 && a.words.join(' ') === b.words.join(' ');
}

function formOf(word: string): GpuName['form'] {
  if (/^sxm\d?$/.test(word)) return 'sxm';
  return word === 'pcie' || word === 'nvl' ? word : undefined;
}

/** The driver calls an H100 on an SXM board `H100 80GB HBM3`; the other boards say what they are. */
function impliedForm(words: readonly string[]): GpuName['form'] {
  return words.includes('h100') && words.includes('hbm3') ? 'sxm' : undefined;
}
