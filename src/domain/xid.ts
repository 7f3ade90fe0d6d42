/** An Xid: the Nvidia driver's error report about a GPU in the kernel log. */
export type Xid = {
  /** The GPU's PCI address as written by the driver, such as `0000:65:00`. */
  readonly busId: string;
  readonly number: number;
  /** The rest of the driver's message; it contains a process name, which is free text. */
  readonly text: string;
};

/**
 * The Xids of docs.nvidia.com/deploy/xid-errors whose immediate action is a GPU reset, a reboot or a hardware check, and 94.
 * Left out: 109, which a job can cause, and 155 and 156, which intended changes cause too.
 */
const HOST_FAULTS: ReadonlyMap<number, string> = new Map([
  [46, 'the GPU stopped processing'],
  [48, 'a double-bit memory error'],
  [54, 'the auxiliary power is not connected'],
  [62, 'the internal micro-controller halted'],
  [64, 'a memory row remapping or page retirement could not be recorded'],
  [74, 'an NVLink error'],
  [79, 'the GPU has fallen off the bus'],
  [94, 'a memory error, contained to one program'],
  [95, 'an uncontained memory error'],
  [110, 'a hardware security fault'],
  [119, 'the GPU system processor does not answer the driver'],
  [120, 'an error in the GPU system processor'],
  [136, 'a link could not be trained'],
  [140, 'a memory error that the driver could not handle'],
  [143, 'the GPU could not be initialised'],
  [154, 'the driver asks for a recovery of the GPU'],
  [158, 'a fatal timeout of the GPU'],
  [171, 'an uncorrectable memory error'],
  [172, 'an uncorrectable cache error'],
]);

/** The host failure that an Xid reports; undefined: usually caused by the job, or harmless. */
export function hostFaultOf(xid: Xid): string | undefined {
  // 154 reports every change of the recommended recovery action, also the change to none.
  if (xid.number === 154 && /\bto (?:0x0\b|\(?None\b)/i.test(xid.text)) return undefined;
  const fault = HOST_FAULTS.get(xid.number);
  return fault === undefined ? undefined : `Xid ${xid.number}: ${fault}`;
}

/** Whether two PCI addresses name one device: nvidia-smi writes `00000000:65:00.0`, the kernel log `0000:65:00`. */
export function sameBus(one: string, other: string): boolean {
  const slot = pciSlot(one);
  return slot !== undefined && slot === pciSlot(other);
}

function pciSlot(busId: string): string | undefined {
  const found = /^([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)(?:\.[0-7])?$/i.exec(busId.trim());
  return found
    ?.slice(1, 4)
    .map((part) => Number.parseInt(part, 16))
    .join(':');
}
