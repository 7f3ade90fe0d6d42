import { showBandwidth } from '../../config/bandwidth.ts';
import { closedPorts, type LineLimits } from '../../runtime/docker/network/line-rules.ts';
import type { NetworkState } from '../../runtime/docker/network/network-spec.ts';
import { BRIDGE_NAME, NETWORK_NAME, smallSubnet } from '../../runtime/docker/network/network-spec.ts';
import type { RulesState } from '../../runtime/docker/network/nft.ts';
import { count } from '../count.ts';
import { type Page } from '../lines.ts';
import { table } from '../table.ts';

/** The parts of the job network as they are. */
export type NetworkParts = {
  /** Undefined if Docker has no network of that name. */
  readonly docker: NetworkState | undefined;
  /** Whether its bridge is an interface of this host. */
  readonly bridge: boolean;
  /** The rules of the isolation. */
  readonly rules: RulesState;
  /** The rules that protect the owner's line and name, and what they have to allow. */
  readonly line: RulesState;
  readonly limits: LineLimits;
  /** Whether connections are to be logged, where, and whether the program for it is installed. */
  readonly log: { readonly wanted: boolean; readonly directory: string; readonly conntrack: boolean };
};

/** Whether jobs get the network: all but the rules of the line is present and correct. */
export function isReady({
  bridge,
  docker,
  rules,
}: Pick<NetworkParts, 'bridge' | 'docker' | 'rules'>): boolean {
  return docker?.network !== undefined && bridge && rules === 'right';
}

/** One line for each part, and a verdict. */
export function networkText(parts: NetworkParts, page: Page): string {
  const { bridge, rules } = parts;
  const rows = [
    ['network', NETWORK_NAME, dockerText(parts)],
    ['bridge', BRIDGE_NAME, bridge ? 'present' : 'missing'],
    ['rules', 'nftables', RULES[rules]],
    ['line', 'nftables', lineText(parts)],
    ['log', 'conntrack', logText(parts)],
  ] as const;
  const lines = table(
    [
      { title: 'PART', cell: ([part]) => part },
      { title: 'NAME', cell: ([, name]) => name },
      { title: 'STATE', cell: ([, , state]) => state, wrap: true },
    ],
    rows,
    page,
  );
  const hint = '\n  hint: sudo sharedcloud-agent network up';
  const verdict = !isReady(parts)
    ? `not up: jobs run without a network${hint}`
    : parts.line === 'right'
      ? 'up'
      : `up, but the line is not protected as configured${hint}`;
  return `${lines}\n${verdict}\n`;
}

/** The same as JSON. */
export function networkJson(parts: NetworkParts): string {
  const { bridge, docker, limits, line, log, rules } = parts;
  const shown = {
    up: isReady(parts),
    network: {
      name: NETWORK_NAME,
      present: docker !== undefined,
      subnet: docker?.network?.subnet ?? null,
      differences: docker?.differences ?? [],
      containers: docker?.containers ?? 0,
    },
    bridge: { name: BRIDGE_NAME, present: bridge },
    rules,
    log: { on: log.wanted, directory: log.directory, conntrack: log.conntrack },
    line: {
      rules: line,
      closedPorts: closedPorts(limits),
      bitsPerSecond: limits.bandwidth ?? null,
    },
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

const RULES: Readonly<Record<RulesState, string>> = {
  right: 'correct',
  absent: 'missing',
  different: 'different from what the agent needs',
};

function lineText({ limits, line }: NetworkParts): string {
  if (line !== 'right') return RULES[line];
  const { bandwidth } = limits;
  const rate = bandwidth === undefined ? 'no limit of bandwidth' : `${showBandwidth(bandwidth)} per job`;
  return `correct, port ${closedPorts(limits).join(', ')} closed, ${rate}`;
}

function logText({ log }: NetworkParts): string {
  if (!log.wanted) return 'off';
  return log.conntrack ? `on, in ${log.directory}` : 'not possible: install the package conntrack';
}

const TOO_LARGE =
  'larger than needed, so a job could fill this host’s neighbour table: drain the agent, then run network up';

function dockerText({ docker }: NetworkParts): string {
  if (docker === undefined) return 'missing';
  if (docker.network === undefined)
    return `different from what the agent needs (${docker.differences.join(', ')})`;
  const { subnet } = docker.network;
  const size = smallSubnet(subnet) === subnet ? '' : `, ${TOO_LARGE}`;
  return `${subnet}, ${count(docker.containers, 'container')}${size}`;
}
