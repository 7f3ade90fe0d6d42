import { readFileSync } from 'node:fs';

/** The kernel's table of routes; a leaf names an address, the lines below it what that is. */
const ROUTES = '/proc/net/fib_trie';

/**
 * The IPv4 addresses of this host, as far as they are up now; none where they cannot be read. Not asked of the kernel
 * over a netlink socket, as `os.networkInterfaces` does: the service may not open any.
 */
export function hostAddresses(): readonly string[] {
  try {
    return addressesIn(readFileSync(ROUTES, 'utf8'));
  } catch {
    // A kernel without it, or a closed /proc: the bridge's own address is known from the engine.
    return [];
  }
}

/** The addresses that such a table calls the host's own, each once. Pure. */
export function addressesIn(routes: string): readonly string[] {
  const found = [...routes.matchAll(/^ *\|-- ([\d.]+)\n((?: +\/\d+ .*\n?)*)/gm)];
  const own = found.filter(([, , uses = '']) => /^ *\/32 host LOCAL$/m.test(uses));
  return [...new Set(own.map(([, address = '']) => address))];
}
