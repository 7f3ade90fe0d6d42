import type { Xid } from '../domain/xid.ts';

/** `0000:65:00`, `00000000:65:00.0`, `10000:01:00` behind a VMD controller; very old drivers omit the domain. */
const BUS = '(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}(?:\\.[0-7])?';

/**
 * `NVRM: Xid (PCI:0000:65:00): 79, pid=1234, name=python3, GPU has fallen off the bus.` Old drivers omit `PCI:`, some
 * append the MIG slice to the address, many omit the process.
 */
const XID = new RegExp(`^NVRM: Xid \\((?:PCI:)?(${BUS})(?: [^)]*)?\\): (\\d{1,5})(?:,? (.*))?$`, 'i');

/** `nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up` */
const SXID = new RegExp(`^nvidia-nvswitch\\d*: SXid \\((?:PCI:)?(${BUS})\\): (\\d{1,5})(?:,? (.*))?$`, 'i');

/**
 * Errors without an Xid: `NVRM: GPU 0000:65:00.0: GPU has fallen off the bus.`, `NVRM: GPU at PCI:0000:65:00 has fallen
 * off the bus`, `NVRM: Xid (PCI:0000:65:00): GPU has fallen off the bus.`, `NVRM: The NVIDIA GPU 0000:65:00.0 ...`,
 * `NVRM: GPU 0000:65:00.0: RmInitAdapter failed! (0x62:0xffff:2351)`.
 */
const WITHOUT_XID = new RegExp(
  `^NVRM: (?:Xid \\(|(?:the )?(?:nvidia )?GPU (?:at )?\\(?)(?:PCI:)?(${BUS})(?![0-9a-f])(.*)$`,
  'i',
);
const FATAL_TEXT = /\b(?:has )?fallen off the bus\b|\bRmInitAdapter failed\b|\brm_init_adapter failed\b/i;

/** The Xid in a line of the kernel's log; undefined for any other line. */
export function xidIn(line: string): Xid | undefined {
  const plain = line.trim();
  const [, busId, number, text = ''] = XID.exec(plain) ?? [];
  if (busId !== undefined) return { busId, number: Number(number), text };
  const [, switchId, switchNumber, switchText = ''] = SXID.exec(plain) ?? [];
  if (switchId !== undefined)
    return { busId: switchId, number: Number(switchNumber), text: switchText, nvswitch: true };
  const [, gpu, rest = ''] = WITHOUT_XID.exec(plain) ?? [];
  if (gpu === undefined || !FATAL_TEXT.test(rest)) return undefined;
  return { busId: gpu, number: undefined, text: rest.replace(/^[):, ]+/, '') };
}
