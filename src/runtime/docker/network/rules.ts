import { BEACON_HOST, beaconOf } from './beacon.ts';
import { BRIDGE_NAME, type JobsNetwork } from './network-spec.ts';

/** Our tables, one per family; nobody else's are touched. */
export const TABLES = ['inet sharedcloud', 'bridge sharedcloud'] as const;

/** Where jobs must not get: everything that is not the public internet. */
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
 * The rules for the jobs' network, as nft reads them. Pure; the same network gives the same text.
 *
 * They only ever drop: whatever they let through still has to pass Docker's rules and the owner's firewall. Each chain
 * holds what no other can: `arriving` still sees the address that a job asked for, before a published port or a
 * redirection gives it another; `forward` and `input` see what has become of it.
 */
export function jobsRules(network: JobsNetwork): string {
  const { refused } = beaconOf(network.secret, rulesText(network, '0'));
  return rulesText(network, refused.map(({ port }) => port).join(', '));
}

/** The text that the beacon vouches for: all of the rules but the beacon's own ports. */
export function vouchedFor(network: JobsNetwork): string {
  return rulesText(network, '0');
}

function rulesText({ subnet }: JobsNetwork, beaconPorts: string): string {
  const job = `iifname "${BRIDGE_NAME}"`;
  const toJob = `oifname "${BRIDGE_NAME}"`;
  return `table inet sharedcloud {
  set closed {
    type ipv4_addr
    flags interval
    elements = { ${CLOSED.join(', ')} }
  }

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
    ${job} ip daddr ${BEACON_HOST} tcp dport { ${beaconPorts} } reject with tcp reset
    ${job} ip daddr @closed drop
    # Jobs are called by nobody; the answers to their own calls come back.
    ${toJob} ct state != { established, related } drop
  }

  chain output {
    type filter hook output priority -10; policy accept;
    ${toJob} ct state != { established, related } drop
  }
}

# Between two jobs, whose frames the bridge would hand on without asking the tables above.
table bridge sharedcloud {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ip saddr ${subnet} ip daddr ${subnet} drop
  }
}
`;
}
