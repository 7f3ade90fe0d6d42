import { BlockList, isIP } from 'node:net';

/** What is not routed on the internet, and so identifies nobody. */
const NOT_PUBLIC: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

/** Whether an IP address is one of the internet. */
export function isPublicAddress(address: string): boolean {
  const list = new BlockList();
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  for (const [network, prefix] of NOT_PUBLIC)
    if (network.includes(':') === (family === 'ipv6')) list.addSubnet(network, prefix, family);
  return !list.check(address, family);
}
