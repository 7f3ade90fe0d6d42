import { describe, expect, test } from 'vitest';
import {
  closedPorts,
  isDefaultLine,
  type LineLimits,
  lineRules,
  lineTargetsOf,
} from '../../../../../src/runtime/docker/network/line-rules.ts';

const SECRET = '00112233445566778899aabbccddeeff';
const DEFAULT: LineLimits = { blockedPorts: [], bandwidth: undefined };

test('port 25 is closed whatever the owner sets', () => {
  expect(closedPorts(DEFAULT)).toEqual([25]);
  expect(closedPorts({ ...DEFAULT, blockedPorts: [587, 465, 25, 587] })).toEqual([25, 465, 587]);
  expect(isDefaultLine({ ...DEFAULT, blockedPorts: [25] })).toBe(true);
  expect(isDefaultLine({ ...DEFAULT, blockedPorts: [465] })).toBe(false);
  expect(isDefaultLine({ ...DEFAULT, bandwidth: 1e6 })).toBe(false);
});

describe('the rules of the line', () => {
  test('have exactly this text, in bytes where the option has bits', () => {
    const rules = lineRules(SECRET, { blockedPorts: [465], bandwidth: 20e6 });
    const ports = lineTargetsOf(SECRET, { blockedPorts: [465], bandwidth: 20e6 }).refused.map(
      ({ port }) => port,
    );
    expect(rules.replaceAll(ports.join(', '), 'PORTS')).toMatchInlineSnapshot(`
      "table inet sharedcloud_line {
        set uploads {
          type ipv4_addr
          size 65535
          flags dynamic
        }

        set downloads {
          type ipv4_addr
          size 65535
          flags dynamic
        }

        chain forward {
          type filter hook forward priority -9; policy accept;
          ip daddr 192.0.0.201 tcp dport { PORTS } reject with tcp reset
          iifname "sharedcloud0" tcp dport { 25, 465 } reject with tcp reset
          iifname "sharedcloud0" add @uploads { ip saddr limit rate over 2500000 bytes/second burst 131072 bytes } drop
          oifname "sharedcloud0" add @downloads { ip daddr limit rate over 2500000 bytes/second burst 131072 bytes } drop
        }

        chain output {
          type filter hook output priority -9; policy accept;
          ip daddr 192.0.0.201 tcp dport { PORTS } reject with tcp reset
        }
      }
      "
    `);
  });

  test('measure no rate without a limit', () => {
    expect(lineRules(SECRET, DEFAULT)).not.toContain('limit rate');
    expect(lineRules(SECRET, DEFAULT)).not.toContain('set ');
  });

  test('answer at other ports for other limits, at an address that no job reaches', () => {
    const pattern = (limits: LineLimits): string => JSON.stringify(lineTargetsOf(SECRET, limits).refused);
    const patterns = [
      DEFAULT,
      { ...DEFAULT, blockedPorts: [465] },
      { ...DEFAULT, bandwidth: 1e6 },
      { ...DEFAULT, bandwidth: 2e6 },
    ];
    expect(new Set(patterns.map(pattern)).size).toBe(patterns.length);
    expect(pattern({ ...DEFAULT, blockedPorts: [25] })).toBe(pattern(DEFAULT));
    expect(lineTargetsOf(SECRET, DEFAULT).refused[0]?.host).toBe('192.0.0.201');
  });
});
