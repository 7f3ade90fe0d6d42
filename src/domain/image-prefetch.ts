/** For how many days an image is expected to be worth what it is worth now. */
const HORIZON_DAYS = 3;

/** An image that this host does not have. */
export type PrefetchCandidate = {
  /** The canonical reference. */
  readonly ref: string;
  /** Micro-dollars. */
  readonly valuePerDay: number;
  /** Of the unpacked layers, as far as it is known. */
  readonly bytes: number;
};

/** What a pull ahead depends on beside the images. */
export type PrefetchLimits = {
  /** What can be written to the disk until it is as full as the low mark. */
  readonly roomBytes: number;
  /** What pulling a byte costs, in micro-dollars. */
  readonly costPerByte: number;
};

/** Decides which image to pull ahead of the runs that will want it; undefined: none is worth it, or fits. Pure. */
export function choosePrefetch(
  candidates: Iterable<PrefetchCandidate>,
  { costPerByte, roomBytes }: PrefetchLimits,
): PrefetchCandidate | undefined {
  let best: { readonly candidate: PrefetchCandidate; readonly gain: number } | undefined;
  for (const candidate of candidates) {
    const gain = candidate.valuePerDay * HORIZON_DAYS - candidate.bytes * costPerByte;
    if (gain <= 0 || candidate.bytes > roomBytes) continue;
    const isBetter = gain === best?.gain ? candidate.ref < best.candidate.ref : gain > (best?.gain ?? 0);
    if (isBetter) best = { candidate, gain };
  }
  return best?.candidate;
}
