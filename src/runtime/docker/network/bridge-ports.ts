import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Traffic } from '../../../domain/network-use.ts';
import { measurementIn } from '../../../lib/measurement.ts';

/* What the kernel says in sysfs of a bridge and the interfaces on it. Everyone may read it, and a read is a few µs. */

/** Where sysfs is mounted; a test has its own. */
export const SYSFS = '/sys';

/** The size of an entry of `brforward` (struct __fdb_entry of linux/if_bridge.h), and its fields that are used. */
const ENTRY_BYTES = 16;
const PORT_LOW_AT = 6;
const PORT_HIGH_AT = 12;

/**
 * The interface of this host behind which the bridge has heard a hardware address (`02:42:ac:12:00:02`). Undefined: it
 * has heard nothing from it, or only more than five minutes ago. Throws if this host has no such bridge.
 */
export function interfaceBehind(bridge: string, hardwareAddress: string, sysfs = SYSFS): string | undefined {
  const directory = join(sysfs, 'class/net', bridge);
  const port = portOf(readFileSync(join(directory, 'brforward')), hardwareAddress);
  if (port === undefined) return undefined;
  const ports = join(directory, 'brif');
  return readdirSync(ports).find(
    (name) => Number(readFileSync(join(ports, name, 'port_no'), 'utf8')) === port,
  );
}

/**
 * Whether /sys shows the network of this process: in a namespace that was entered later it still shows another one, whose
 * bridge may have the same name. Interfaces of containers come and go, so only the others are compared.
 */
export function isOwnSysfs(): boolean {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2);
  const own = lines.flatMap((line) => (line.includes(':') ? [line.slice(0, line.indexOf(':')).trim()] : []));
  const shown = readdirSync(join(SYSFS, 'class/net'));
  const lasting = (names: readonly string[]): string =>
    names
      .filter((name) => !name.startsWith('veth'))
      .toSorted()
      .join();
  return lasting(own) === lasting(shown);
}

/** The number of the bridge's port behind which an address is. Pure. */
export function portOf(forwarding: Uint8Array, hardwareAddress: string): number | undefined {
  const wanted = hardwareAddress.toLowerCase().replaceAll(':', '');
  for (let at = 0; at + ENTRY_BYTES <= forwarding.length; at += ENTRY_BYTES) {
    const entry = Buffer.from(forwarding.subarray(at, at + ENTRY_BYTES));
    if (entry.toString('hex', 0, PORT_LOW_AT) === wanted)
      return entry.readUInt8(PORT_LOW_AT) + entry.readUInt8(PORT_HIGH_AT) * 256;
  }
  return undefined;
}

/**
 * What went through an interface of this host, as the container at its other end sees it. Throws if it is gone, or if its
 * counters are no numbers.
 */
export function trafficOf(name: string, sysfs = SYSFS): Traffic {
  const count = (file: string): number => {
    const bytes = measurementIn(readFileSync(join(sysfs, 'class/net', name, 'statistics', file), 'utf8'));
    if (bytes === undefined) throw new Error(`${name}/${file} is no number`);
    return bytes;
  };
  return { sentBytes: count('rx_bytes'), receivedBytes: count('tx_bytes') };
}
