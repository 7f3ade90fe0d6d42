import type { Xid } from '../domain/xid.ts';

/**
 * `NVRM: Xid (PCI:0000:65:00): 79, pid=1234, name=python3, GPU has fallen off the bus.` Old drivers omit `PCI:`, some
 * append the MIG slice to the address, many omit the process.
 */
const XID =
  /^NVRM: Xid \((?:PCI:)?([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}(?:\.[0-7])?)(?: [^)]*)?\): (\d{1,5})(?:,? (.*))?$/i;

/** The Xid in a line of the kernel's log; undefined for any other line. */
export function xidIn(line: string): Xid | undefined {
  const [, busId, number, text = ''] = XID.exec(line.trim()) ?? [];
  return busId === undefined ? undefined : { busId, number: Number(number), text };
}
