import { BRIDGE_NAME, type JobsNetwork } from './network-spec.ts';
import { RULE_TARGET_HOST, ruleTargetsOf } from './rule-targets.ts';

/** The tables of the isolation, one per family. */
export const TABLES = ['inet sharedcloud', 'bridge sharedcloud'] as const;

/** What jobs must not reach: every address outside the public internet. */
const CLOSED = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const;

/**
 * Limits of one job's connections. The kernel keeps all connections of the host in one table of 262,144 entries (65,536
 * below 4 GB of memory), closed ones for two minutes more. A job takes at most 8192 + 120 x 200 + 1000 of them.
 */
const CALLS = { atOnce: 8192, newPerSecond: 200, burst: 1000 } as const;

/** The sets in which the kernel counts connections by the job's address. */
export const COUNTING_SETS = ['callers', 'dialers'] as const;

/**
 * The rules for the jobs' network in nft's syntax. Pure. They only drop, so Docker's rules and the owner's firewall still
 * apply. `arriving` sees the address that a job asked for, before a published port or a redirection changes it; `forward`
 * and `input` see the changed one.
 */
export function jobsRules(network: JobsNetwork): string {
  const { refused } = ruleTargetsOf(network.secret, rulesText(network, '0'));
  return rulesText(network, refused.map(({ port }) => port).join(', '));
}

/** The text that determines the rule targets: the rules without the targets' own ports. */
export function hashedRules(network: JobsNetwork): string {
  return rulesText(network, '0');
}

/** The text is hashed into the rule targets: any change, even in its comments, needs `network up` again. */
function rulesText({ subnet }: JobsNetwork, refusedPorts: string): string {
  const job = `iifname "${BRIDGE_NAME}"`;
  const toJob = `oifname "${BRIDGE_NAME}"`;
  const ruleTargets = `ip daddr ${RULE_TARGET_HOST} tcp dport { ${refusedPorts} } reject with tcp reset`;
  const sets = COUNTING_SETS.map(
    (name) => `  set ${name} {
    type ipv4_addr
    size 65535
    flags dynamic
  }
`,
  );
  return `table inet sharedcloud {
  set closed {
    type ipv4_addr
    flags interval
    elements = { ${CLOSED.join(', ')} }
  }

${sets.join('\n')}
  # Before any translation of addresses, and before the kernel chooses between this host and the way out.
  chain arriving {
    type filter hook prerouting priority -310; policy accept;
    ${job} meta nfproto ipv6 drop
    # Addresses of this host, its broadcasts and multicasts; also what has no route.
    ${job} fib daddr type != unicast drop
  }

  # What is for this host after all, by a redirection of somebody else's.
  chain input {
    type filter hook input priority -10; policy accept;
    ${job} drop
  }

  chain forward {
    type filter hook forward priority -10; policy accept;
    # The agent asks it too, from a container of its own or, in output, from this host.
    ${ruleTargets}
    ${job} ip daddr @closed drop
    # One job does not fill the table in which the kernel keeps the connections of all.
    ${job} ct state new add @dialers { ip saddr limit rate over ${CALLS.newPerSecond}/second burst ${CALLS.burst} packets } drop
    ${job} ct state new add @callers { ip saddr ct count over ${CALLS.atOnce} } drop
    # Jobs are called by nobody; the answers to their own calls come back.
    ${toJob} ct state != { established, related } drop
  }

  chain output {
    type filter hook output priority -10; policy accept;
    ${toJob} ct state != { established, related } drop
    ${ruleTargets}
  }
}

# Whatever a job sends to others on its bridge, to one or to all, which would be handed on without asking the tables
# above. The bridge itself takes in what is for the gateway by another way. By the address of the sender, which no job
# can choose, since not every kernel can tell here which bridge it is.
table bridge sharedcloud {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ip saddr ${subnet} drop
    arp saddr ip ${subnet} drop
  }
}
`;
}
