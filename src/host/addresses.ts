import { readFileSync } from 'node:fs';

/** The kernel's routing table: a leaf is an address, the lines below it are its types. */
const ROUTES = '/proc/net/fib_trie';

/**
 * The IPv4 addresses of this host's active interfaces; empty if they cannot be read. `os.networkInterfaces` needs a
 * netlink socket, which the systemd unit forbids.
 */
export function hostAddresses(): readonly string[] {
  try {
    return addressesIn(readFileSync(ROUTES, 'utf8'));
  } catch {
    // A kernel without this table, or a restricted /proc. The engine still gives the bridge's own address.
    return [];
  }
}

/** The host's own addresses in a routing table, each once. Pure. */
export function addressesIn(routes: string): readonly string[] {
  const found = [...routes.matchAll(/^ *\|-- ([\d.]+)\n((?: +\/\d+ .*\n?)*)/gm)];
  const own = found.filter(([, , uses = '']) => /^ *\/32 host LOCAL$/m.test(uses));
  return [...new Set(own.map(([, address = '']) => address))];
}
