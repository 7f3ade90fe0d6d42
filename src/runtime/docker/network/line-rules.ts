import { BRIDGE_NAME } from './network-spec.ts';
import { type RuleTargets, ruleTargetsOf } from './rule-targets.ts';

/** The table of the rules that protect the owner's line and name. The isolation does not depend on it. */
export const LINE_TABLE = 'inet sharedcloud_line';

/** An unused address beside that of the isolation's rule targets. The rules answer for it, and no job reaches it. */
const LINE_TARGET_HOST = '192.0.0.201';

/** Mail to other servers: most spam goes out by it, and an address that sends spam is blocked for years. */
const SMTP_PORT = 25;

/** What the owner allows jobs on the line. */
export type LineLimits = {
  /** The TCP ports beside 25 to which no job connects. */
  readonly blockedPorts: readonly number[];
  /** Bits per second of one job in each direction; undefined: no limit. */
  readonly bandwidth: number | undefined;
};

/** The sets in which the kernel measures the rate of each job's address. */
export const LINE_SETS = ['uploads', 'downloads'] as const;

/**
 * A large packet of the kernel has 64 KiB; less would drop each of them at once. The bucket holds a second's bytes beside
 * this.
 */
const BURST_BYTES = 128 * 1024;

/** Whether the owner asks for more than what every host has. */
export function isDefaultLine({ bandwidth, blockedPorts }: LineLimits): boolean {
  return bandwidth === undefined && blockedPorts.every((port) => port === SMTP_PORT);
}

/** All closed ports in their order. */
export function closedPorts({ blockedPorts }: LineLimits): readonly number[] {
  return [...new Set([SMTP_PORT, ...blockedPorts])].toSorted((a, b) => a - b);
}

/** The rules in nft's syntax. Pure. */
export function lineRules(secret: string, limits: LineLimits): string {
  const { refused } = lineTargetsOf(secret, limits);
  return rulesText(limits, refused.map(({ port }) => port).join(', '));
}

/** The ports at which exactly these rules refuse a connection of this host. */
export function lineTargetsOf(secret: string, limits: LineLimits): RuleTargets {
  return ruleTargetsOf(secret, rulesText(limits, '0'), LINE_TARGET_HOST);
}

/** Behind the isolation's chains, so that a job never reaches the rule targets. */
function rulesText(limits: LineLimits, refusedPorts: string): string {
  const job = `iifname "${BRIDGE_NAME}"`;
  const toJob = `oifname "${BRIDGE_NAME}"`;
  const ruleTargets = `ip daddr ${LINE_TARGET_HOST} tcp dport { ${refusedPorts} } reject with tcp reset`;
  const { bandwidth } = limits;
  const bytes = bandwidth === undefined ? undefined : Math.floor(bandwidth / 8);
  const over = `limit rate over ${bytes} bytes/second burst ${BURST_BYTES} bytes`;
  const sets = LINE_SETS.map(
    (name) => `  set ${name} {\n    type ipv4_addr\n    size 65535\n    flags dynamic\n  }\n`,
  );
  const rates = `    ${job} add @uploads { ip saddr ${over} } drop
    ${toJob} add @downloads { ip daddr ${over} } drop
`;
  return `table ${LINE_TABLE} {
${bytes === undefined ? '' : sets.join('\n')}
  chain forward {
    type filter hook forward priority -9; policy accept;
    ${ruleTargets}
    ${job} tcp dport { ${closedPorts(limits).join(', ')} } reject with tcp reset
${bytes === undefined ? '' : rates}  }

  chain output {
    type filter hook output priority -9; policy accept;
    ${ruleTargets}
  }
}
`;
}
