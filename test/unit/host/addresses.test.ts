import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { addressesIn, hostAddresses } from '../../../src/host/addresses.ts';

const ROUTES = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.1.0.0/16 2 0 2
        |-- 10.1.0.0
           /16 link UNICAST
        |-- 10.1.2.3
           /32 host LOCAL
        |-- 10.1.255.255
           /32 link BROADCAST
     |-- 127.0.0.0
        /31 link UNICAST
        /8 host LOCAL
     |-- 203.0.113.7
        /32 link UNICAST
        /32 host LOCAL
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.1.2.3
        /32 host LOCAL
`;

describe('the addresses of this host', () => {
  test('are those of the routing table, each once', () => {
    expect(addressesIn(ROUTES)).toEqual(['10.1.2.3', '203.0.113.7']);
    expect(addressesIn('')).toEqual([]);
  });

  test('include those of all its interfaces', () => {
    const up = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const expected = up.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
    expect(expected).not.toEqual([]);
    expect(hostAddresses()).toEqual(expect.arrayContaining(expected));
  });
});
