import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectionIn } from '../../../src/host/conntrack-line.ts';

/* Lines as conntrack 1.4.7 printed them. */

test('a TCP connection has its ports, and the one behind the translation of addresses', () => {
  const line =
    '[1795732219.050743]\t    [NEW] tcp      6 120 SYN_SENT src=172.18.0.2 dst=198.51.100.1 sport=56396 dport=8080 [UNREPLIED] src=198.51.100.1 dst=198.51.100.2 sport=8080 dport=40001';
  expect(connectionIn(line)).toEqual({
    at: 1_795_732_219_050,
    protocol: 'tcp',
    address: '172.18.0.2',
    sourcePort: 56_396,
    destination: '198.51.100.1',
    destinationPort: 8080,
    outerPort: 40_001,
  });
});

test.each([
  [
    'udp',
    '[1795732219.054393]\t    [NEW] udp      17 30 src=172.18.0.2 dst=198.51.100.1 sport=60501 dport=53 [UNREPLIED] src=198.51.100.1 dst=198.51.100.2 sport=53 dport=60501',
    { protocol: 'udp', sourcePort: 60_501, destinationPort: 53 },
  ],
  [
    'icmp, which has no ports',
    '[1795732219.059243]\t    [NEW] icmp     1 30 src=172.18.0.2 dst=198.51.100.1 type=8 code=0 id=21437 [UNREPLIED] src=198.51.100.1 dst=198.51.100.2 type=0 code=0 id=21437',
    { protocol: 'icmp', sourcePort: null, destinationPort: null, outerPort: null },
  ],
  [
    'a protocol that the kernel does not name',
    '[1795732218.041602]\t    [NEW] unknown  2 600 src=172.18.0.1 dst=224.0.0.22 [UNREPLIED] src=224.0.0.22 dst=172.18.0.1',
    { protocol: 'unknown', destination: '224.0.0.22' },
  ],
])('%s', (_, line, expected) => {
  expect(connectionIn(line)).toMatchObject(expected);
});

test.each([
  'conntrack v1.4.7 (conntrack-tools): 4 flow events have been shown.',
  '[1795732219.050743]\t[DESTROY] tcp      6 src=172.18.0.2 dst=198.51.100.1 sport=1 dport=2 src=1.1.1.1 dst=2.2.2.2 sport=2 dport=1',
  '[1795732219.050743]\t    [NEW] tcp      6 120 SYN_SENT src=fd00::2 dst=fd00::1 sport=1 dport=2 [UNREPLIED] src=fd00::1 dst=fd00::2 sport=2 dport=1',
  '',
])('another line is none: %s', (line) => {
  expect(connectionIn(line)).toBeUndefined();
});

test('no line makes it throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(connectionIn(`[1.000000] [NEW] ${text}`)?.at ?? 1_000).toBe(1_000);
    }),
  );
});
