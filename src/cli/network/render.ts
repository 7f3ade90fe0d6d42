import type { NetworkState } from '../../runtime/docker/network/network-spec.ts';
import { BRIDGE_NAME, NETWORK_NAME, smallSubnet } from '../../runtime/docker/network/network-spec.ts';
import type { RulesState } from '../../runtime/docker/network/nft.ts';

/** The parts of the jobs' network as they are. */
export type NetworkParts = {
  /** Undefined: Docker has no network of that name. */
  readonly docker: NetworkState | undefined;
  /** Whether its bridge is an interface of this host. */
  readonly bridge: boolean;
  readonly rules: RulesState;
};

/** Whether all is as it has to be. */
export function isReady({ bridge, docker, rules }: NetworkParts): boolean {
  return docker?.network !== undefined && bridge && rules === 'right';
}

/** A line for each part, and a verdict. */
export function networkText(parts: NetworkParts): string {
  const { bridge, rules } = parts;
  return [
    `network  ${NETWORK_NAME}: ${dockerWords(parts)}`,
    `bridge   ${BRIDGE_NAME}: ${bridge ? 'is there' : 'is not there'}`,
    `rules    ${RULES[rules]}`,
    '',
    isReady(parts) ? 'up' : 'not up: jobs get no network (to hint it: sudo sharedcloud-agent network up)',
    '',
  ].join('\n');
}

/** The same for programs. */
export function networkJson(parts: NetworkParts): string {
  const { bridge, docker, rules } = parts;
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
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

const RULES: Readonly<Record<RulesState, string>> = {
  right: 'are as they have to be',
  absent: 'are not there',
  different: 'are there, but not as they have to be',
};

const SMALLER = 'a job can fill this host’s table of neighbours: drain the agent, then network up';

function dockerWords({ docker }: NetworkParts): string {
  if (docker === undefined) return 'is not there';
  if (docker.network === undefined) return `is not as it has to be (${docker.differences.join(', ')})`;
  const { subnet } = docker.network;
  const large = smallSubnet(subnet) === subnet ? '' : `, larger than it has to be (${SMALLER})`;
  return `${subnet}, ${docker.containers} containers on it${large}`;
}
