import { type CatalogueXid, XID_CATALOGUE, type XidAction } from './xid-catalogue.ts';

/** An Xid: the Nvidia driver's error report about a GPU in the kernel log; an SXid is one of an NVSwitch. */
export type Xid = {
  /** The PCI address as written by the driver, such as `0000:65:00`; for an SXid that of the NVSwitch. */
  readonly busId: string;
  /** Undefined: the driver reported an error without an Xid. */
  readonly number: number | undefined;
  /** The rest of the driver's message; it contains a process name, which is free text. */
  readonly text: string;
  /** Whether it is an SXid. */
  readonly nvswitch?: true;
};

/** What an Xid means, and what the owner can do. */
export type XidVerdict = {
  /** `Xid 79: the GPU has fallen off the bus` */
  readonly why: string;
  readonly hint: string;
  /** Whether the GPU must get no jobs until a canary passes. */
  readonly hostFault: boolean;
  /** Whether the catalogue has it; what is unknown is treated with care. */
  readonly known: boolean;
};

const WAIT = 'wait until nvidia-smi reports no fault and a canary passes';
const LOG = 'see the kernel’s log (journalctl -k | grep -i xid)';
const HINTS: Readonly<Record<XidAction, string>> = {
  ignore: 'nothing to do',
  'restart-app': `${WAIT}; if it recurs, ${LOG}`,
  'reset-gpu': `${WAIT}; if that takes long, reset it (sudo nvidia-smi --gpu-reset -i INDEX) or reboot`,
  reboot: 'reboot; if it recurs, check the card’s seat, its power and its cooling',
  'check-hardware': 'shut down and check the card’s power cables, seat and cooling',
  'check-link': `${WAIT}; if that takes long, reset all GPUs or reboot, and check the NVLink bridges`,
  'update-software': 'update the Nvidia driver',
  'contact-support': `${LOG}; if it recurs, update the driver or ask the card’s maker`,
  'see-text': `${WAIT}; if that takes long, run nvidia-smi -q, which says what it needs: a reset or a reboot`,
};

/** The verdict on an Xid. Pure. */
export function verdictOn(xid: Xid): XidVerdict {
  if (xid.nvswitch === true) return switchVerdict(xid);
  if (xid.number === undefined) return unnumbered(xid.text);
  const entry = XID_CATALOGUE.get(xid.number);
  const name = `Xid ${xid.number}`;
  if (entry === undefined) {
    const why = `${name}: unknown to this version of the agent`;
    return { why, hint: HINTS['contact-support'], hostFault: false, known: false };
  }
  return {
    why: `${name}: ${entry.meaning}`,
    hint: HINTS[entry.action],
    hostFault: isHostFault(xid, entry),
    known: true,
  };
}

function isHostFault({ number, text }: Xid, { action, fault }: CatalogueXid): boolean {
  if (fault !== 'host') return false;
  // 154 reports every change of the recommended recovery action, also the change to none.
  if (number === 154) return !/\bto (?:0x0\b|\(?None\b)/i.test(text);
  // The links of Blackwell report each error with its severity; Xid 154 follows where a nonfatal one needs more.
  return !(action === 'check-link' && number !== 74 && /\bnon-?fatal\b/i.test(text));
}

function unnumbered(text: string): XidVerdict {
  const isOffBus = /fallen off the bus/i.test(text);
  return {
    why: isOffBus ? 'the GPU has fallen off the bus' : 'the driver could not initialise the GPU',
    hint: HINTS.reboot,
    hostFault: true,
    known: true,
  };
}

function switchVerdict({ number, text }: Xid): XidVerdict {
  const isFatal = /\bfatal\b/i.test(text) && !/\bnon-?fatal\b/i.test(text);
  const why = `SXid ${number}: ${isFatal ? 'a fatal' : 'an'} error of an NVSwitch`;
  const hint = isFatal ? 'reset all GPUs and NVSwitches, or reboot' : HINTS.ignore;
  return { why, hint, hostFault: false, known: true };
}

/** Whether two PCI addresses name one device: nvidia-smi writes `00000000:65:00.0`, the kernel log `0000:65:00`. */
export function sameBus(one: string, other: string): boolean {
  const slot = pciSlot(one);
  return slot !== undefined && slot === pciSlot(other);
}

/** Old drivers leave out the domain. */
function pciSlot(busId: string): string | undefined {
  const [, domain = '0', bus, device] =
    /^(?:([0-9a-f]+):)?([0-9a-f]+):([0-9a-f]+)(?:\.[0-7])?$/i.exec(busId.trim()) ?? [];
  if (bus === undefined || device === undefined) return undefined;
  return [domain, bus, device].map((part) => Number.parseInt(part, 16)).join(':');
}
