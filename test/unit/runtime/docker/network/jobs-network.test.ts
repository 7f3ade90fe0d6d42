import { BlockList } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isolationProblem, targetsOf } from '../../../../../src/domain/jobs-network.ts';
import {
  networkSpec,
  readNetwork,
  smallSubnet,
} from '../../../../../src/runtime/docker/network/network-spec.ts';
import { withoutCounts } from '../../../../../src/runtime/docker/network/nft.ts';
import { probeTargetsOf } from '../../../../../src/runtime/docker/network/probe-targets.ts';
import { ruleTargetsOf } from '../../../../../src/runtime/docker/network/rule-targets.ts';
import { hashedRules, jobsRules } from '../../../../../src/runtime/docker/network/rules.ts';

const SECRET = '00112233445566778899aabbccddeeff';
const NETWORK = { subnet: '172.18.0.0/16', gateway: '172.18.0.1', secret: SECRET };

const secrets = fc.stringMatching(/^[0-9a-f]{32}$/);

describe('the nft rules', () => {
  test('have exactly this text', () => {
    expect(jobsRules(NETWORK)).toMatchInlineSnapshot(`
      "table inet sharedcloud {
        set closed {
          type ipv4_addr
          flags interval
          elements = { 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.168.0.0/16, 198.18.0.0/15, 224.0.0.0/4, 240.0.0.0/4 }
        }

        set callers {
          type ipv4_addr
          size 65535
          flags dynamic
        }

        set dialers {
          type ipv4_addr
          size 65535
          flags dynamic
        }

        # Before any translation of addresses, and before the kernel chooses between this host and the way out.
        chain arriving {
          type filter hook prerouting priority -310; policy accept;
          iifname "sharedcloud0" meta nfproto ipv6 drop
          # Addresses of this host, its broadcasts and multicasts; also what has no route.
          iifname "sharedcloud0" fib daddr type != unicast drop
        }

        # What is for this host after all, by a redirection of somebody else's.
        chain input {
          type filter hook input priority -10; policy accept;
          iifname "sharedcloud0" drop
        }

        chain forward {
          type filter hook forward priority -10; policy accept;
          # The agent asks it too, from a container of its own or, in output, from this host.
          ip daddr 192.0.0.200 tcp dport { 40000, 40006, 40007, 40008, 40009, 40011, 40012, 40014, 40015, 40017, 40019, 40020, 40021, 40022, 40024, 40025, 40026, 40029, 40030, 40031 } reject with tcp reset
          iifname "sharedcloud0" ip daddr @closed drop
          # One job does not fill the table in which the kernel keeps the connections of all.
          iifname "sharedcloud0" ct state new add @dialers { ip saddr limit rate over 200/second burst 1000 packets } drop
          iifname "sharedcloud0" ct state new add @callers { ip saddr ct count over 8192 } drop
          # Jobs are called by nobody; the answers to their own calls come back.
          oifname "sharedcloud0" ct state != { established, related } drop
        }

        chain output {
          type filter hook output priority -10; policy accept;
          oifname "sharedcloud0" ct state != { established, related } drop
          ip daddr 192.0.0.200 tcp dport { 40000, 40006, 40007, 40008, 40009, 40011, 40012, 40014, 40015, 40017, 40019, 40020, 40021, 40022, 40024, 40025, 40026, 40029, 40030, 40031 } reject with tcp reset
        }
      }

      # Whatever a job sends to others on its bridge, to one or to all, which would be handed on without asking the tables
      # above. The bridge itself takes in what is for the gateway by another way. By the address of the sender, which no job
      # can choose, since not every kernel can tell here which bridge it is.
      table bridge sharedcloud {
        chain forward {
          type filter hook forward priority -10; policy accept;
          ip saddr 172.18.0.0/16 drop
          arp saddr ip 172.18.0.0/16 drop
        }
      }
      "
    `);
  });

  test('only drop or refuse', () => {
    const verdicts = jobsRules(NETWORK)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^(?:iifname|oifname|ip|arp|ct|fib|meta)\b/.test(line));
    expect(verdicts.length).toBeGreaterThan(10);
    for (const line of verdicts) expect(line).toMatch(/ (?:drop|reject with tcp reset)$/);
  });

  test('are compared without the kernel’s counts', () => {
    const listing = [
      '\tset callers {',
      '\t\ttype ipv4_addr',
      '\t\tflags dynamic',
      '\t}',
      '\tset closed {',
      '\t\ttype ipv4_addr',
      '\t\telements = { 10.0.0.0/8,',
      '\t\t\t     172.16.0.0/12 }',
      '\t}',
      '',
    ].join('\n');
    const counted = '{ 172.18.0.2 ct count over 8192,\n\t\t\t     172.18.0.3 ct count over 8192 }';
    const used = listing.replace('flags dynamic\n', `flags dynamic\n\t\telements = ${counted}\n`);
    expect(used).not.toBe(listing);
    expect(withoutCounts(used)).toBe(listing);
    expect(withoutCounts(listing)).toBe(listing);
    expect(withoutCounts(listing.replace('10.0.0.0/8', '10.0.0.0/9'))).not.toBe(listing);
  });

  test('close every address outside the public internet', () => {
    const closed = new BlockList();
    const [, elements = ''] = /elements = \{ ([^}]*) \}/.exec(jobsRules(NETWORK)) ?? [];
    for (const range of elements.split(', ')) {
      const [net = '', prefix] = range.split('/');
      closed.addSubnet(net, Number(prefix));
    }
    const inside = [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.254',
      '192.168.1.1',
      '100.64.0.1',
      '100.127.255.254',
    ];
    const special = [
      '0.0.0.0',
      '127.0.0.53',
      '169.254.169.254',
      '192.0.0.200',
      '198.18.0.1',
      '198.19.255.254',
    ];
    const toMany = ['224.0.0.251', '239.255.255.250', '240.0.0.1', '255.255.255.255'];
    const open = [
      '1.1.1.1',
      '172.15.0.1',
      '172.32.0.1',
      '100.128.0.1',
      '192.0.1.1',
      '198.20.0.1',
      '223.5.5.5',
    ];
    const all = [...inside, ...special, ...toMany, ...open];
    expect(all.filter((address) => !closed.check(address))).toEqual(open);
  });
});

describe('the rule targets', () => {
  test('differ between hosts and between rules, and always have both kinds of ports', () => {
    fc.assert(
      fc.property(secrets, fc.string(), (secret, rules) => {
        const { refused, silent } = ruleTargetsOf(secret, rules);
        expect(refused.length).toBeGreaterThan(0);
        expect(silent.length).toBeGreaterThan(0);
        expect(refused.length + silent.length).toBe(32);
      }),
    );
    const pattern = (secret: string, rules: string): string =>
      ruleTargetsOf(secret, rules)
        .refused.map(({ port }) => port)
        .join();
    expect(pattern(SECRET, 'a')).toBe(pattern(SECRET, 'a'));
    expect(pattern(SECRET, 'a')).not.toBe(pattern(SECRET, 'b'));
    expect(pattern(SECRET, 'a')).not.toBe(pattern(SECRET.replace('0', '1'), 'a'));
  });

  test('depend on all of the rules except their own ports', () => {
    const { refused } = probeTargetsOf(NETWORK, []);
    const ports = refused.map(({ port }) => port).join(', ');
    expect(jobsRules(NETWORK)).toBe(hashedRules(NETWORK).replaceAll('dport { 0 }', `dport { ${ports} }`));
  });
});

describe('the probe targets', () => {
  const probeTargets = probeTargetsOf(NETWORK, ['127.0.0.1', '192.168.77.1']);
  const answers = (say: (host: string, refused: boolean) => string): readonly string[] =>
    targetsOf(probeTargets).map(({ host, port }) =>
      say(
        host,
        probeTargets.refused.some((target) => target.host === host && target.port === port),
      ),
    );

  test('include every address of this host but loopback, and the metadata service of clouds', () => {
    const hosts = new Set(probeTargets.silent.map(({ host }) => host));
    expect(hosts).toEqual(new Set(['192.0.0.200', '172.18.0.1', '192.168.77.1', '169.254.169.254']));
  });

  test('are met by what the rules do', () => {
    expect(
      isolationProblem(
        probeTargets,
        answers((_, refused) => (refused ? 'refused' : 'silent')),
      ),
    ).toBeUndefined();
  });

  test('are met by no other pattern', () => {
    const right = answers((_, refused) => (refused ? 'refused' : 'silent'));
    const word = fc.constantFrom('open', 'refused', 'silent', 'EHOSTUNREACH');
    fc.assert(
      fc.property(fc.array(word, { minLength: right.length, maxLength: right.length }), (found) => {
        fc.pre(found.some((each, index) => each !== right[index]));
        expect(isolationProblem(probeTargets, found)).toBeDefined();
      }),
    );
    for (const index of right.keys()) {
      const other = right.with(index, right[index] === 'silent' ? 'refused' : 'silent');
      expect(isolationProblem(probeTargets, other)).toBeDefined();
    }
  });

  test.each([
    ['an unreachable network', () => 'ENETUNREACH', /172\.18\.0\.1:1|169\.254/],
    ['silence at all targets', () => 'silent', /rules/],
    [
      'an answer from this host',
      (host: string) => (host === '192.168.77.1' ? 'open' : 'silent'),
      /192\.168\.77\.1:1/,
    ],
  ])('name the reason after %s', (_, say, expected) => {
    expect(isolationProblem(probeTargets, answers(say))).toMatch(expected);
  });

  test('are not met by an empty result', () => {
    expect(isolationProblem(probeTargets, [])).toBeDefined();
  });
});

describe('the network in Docker', () => {
  const { CheckDuplicate: _, ...spec } = networkSpec(SECRET);
  const inspected = {
    ...spec,
    Scope: 'local',
    IPAM: { Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
    Containers: { a: {}, b: {} },
  };

  test('is accepted as requested', () => {
    expect(readNetwork(inspected)).toEqual({ network: NETWORK, differences: [], containers: 2 });
  });

  test('may have the owner’s MTU and the options of newer engines', () => {
    const more = {
      'com.docker.network.driver.mtu': '1400',
      'com.docker.network.enable_ipv4': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
      'com.docker.network.bridge.gateway_mode_ipv4': 'nat',
      'com.docker.network.container_iface_prefix': 'net',
    };
    expect(readNetwork({ ...inspected, Options: { ...inspected.Options, ...more } }).differences).toEqual([]);
  });

  test.each([
    ['172.18.0.0/16', '172.18.0.0/24'],
    ['192.168.16.0/20', '192.168.16.0/24'],
    ['10.200.3.0/24', '10.200.3.0/24'],
    ['10.200.3.64/27', '10.200.3.64/27'],
  ])('uses of %s only %s', (picked, used) => {
    expect(smallSubnet(picked)).toBe(used);
    const spec = networkSpec(SECRET, used);
    const state = readNetwork({ ...inspected, ...spec, IPAM: { Config: [{ Subnet: used }] } });
    expect(state.network?.subnet).toBe(used);
  });

  test('has its first address as gateway if the engine omits it', () => {
    const IPAM = { Config: [{ Subnet: '172.18.0.0/16' }] };
    expect(readNetwork({ ...inspected, IPAM }).network?.gateway).toBe('172.18.0.1');
  });

  test.each([
    ['Driver', { Driver: 'macvlan' }],
    ['EnableIPv6', { EnableIPv6: true }],
    ['Internal', { Internal: true }],
    ['Attachable', { Attachable: true }],
    ['Scope', { Scope: 'swarm' }],
    ['IPAM', { IPAM: { Config: [] } }],
    ['IPAM', { IPAM: { Config: [{ Subnet: '172.18.0.0/16"; flush ruleset', Gateway: '172.18.0.1' }] } }],
    ['label sharedcloud.network', { Labels: {} }],
    [
      'com.docker.network.bridge.name',
      { Options: { ...inspected.Options, 'com.docker.network.bridge.name': 'br0' } },
    ],
    [
      'com.docker.network.bridge.enable_icc',
      { Options: { ...inspected.Options, 'com.docker.network.bridge.enable_icc': 'true' } },
    ],
    [
      'com.docker.network.bridge.gateway_mode_ipv4',
      { Options: { ...inspected.Options, 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' } },
    ],
    [
      'com.docker.network.enable_ipv6',
      { Options: { ...inspected.Options, 'com.docker.network.enable_ipv6': 'true' } },
    ],
  ])('is misconfigured with another %s', (field, change) => {
    const state = readNetwork({ ...inspected, ...change });
    expect(state.differences).toEqual([field]);
    expect(state.network).toBeUndefined();
  });
});
