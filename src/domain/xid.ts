/** One of the driver's own error reports about a GPU, as the kernel's log has it. */
export type Xid = {
  /** The GPU's PCI address as the driver wrote it, such as `0000:65:00`. */
  readonly busId: string;
  readonly number: number;
  /** What the driver says beside the number; it holds the name of a process, which is free text. */
  readonly text: string;
};

/**
 * Xids after which the GPU, and not what ran on it, has to be looked after, in our words. Chosen from Nvidia's
 * public catalogue (docs.nvidia.com/deploy/xid-errors): those whose immediate action is a reset of the GPU, a restart
 * of the host or a look at the hardware. Left out of these are 109 (a job can bring a context switch past its time)
 * and 155 and 156 (told of intended changes too). 94 is in although others run on: the memory failed the job.
 */
const HOST_FAULTS: ReadonlyMap<number, string> = new Map([
  [46, 'the GPU stopped processing'],
  [48, 'a memory error that could not be corrected'],
  [54, 'its auxiliary power is not connected'],
  [62, 'its internal controller halted'],
  [64, 'failing memory could not be set aside'],
  [74, 'an NVLink error'],
  [79, 'it has fallen off the bus'],
  [94, 'a memory error that hit one program'],
  [95, 'a memory error that may have hit all programs'],
  [110, 'a security fault in its hardware'],
  [119, 'its system processor does not answer the driver'],
  [120, 'an error in its system processor'],
  [136, 'a link of it could not be trained'],
  [140, 'a memory error that the driver could not handle'],
  [143, 'it could not be initialised'],
  [154, 'the driver asks for its recovery'],
  [158, 'it ran into a fatal timeout'],
  [171, 'an error in its memory that could not be corrected'],
  [172, 'an error in its caches that could not be corrected'],
]);

/** What an Xid says against the GPU or the host, in words; undefined: it is usually the job's own fault, or harmless. */
export function hostFaultOf(xid: Xid): string | undefined {
  // 154 tells every change of what the driver recommends, the good one too.
  if (xid.number === 154 && /\bto (?:0x0\b|\(?None\b)/i.test(xid.text)) return undefined;
  const words = HOST_FAULTS.get(xid.number);
  return words === undefined ? undefined : `Xid ${xid.number}: ${words}`;
}

/**
 * Whether two PCI addresses name one device. nvidia-smi writes `00000000:65:00.0` where the kernel's log says
 * `0000:65:00`; the function behind the dot is the same GPU's.
 */
export function sameBus(one: string, other: string): boolean {
  const left = placeOf(one);
  return left !== undefined && left === placeOf(other);
}

function placeOf(busId: string): string | undefined {
  const found = /^([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)(?:\.[0-7])?$/i.exec(busId.trim());
  return found
    ?.slice(1, 4)
    .map((part) => Number.parseInt(part, 16))
    .join(':');
}
