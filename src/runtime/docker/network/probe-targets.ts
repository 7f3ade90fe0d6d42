import type { ProbeTargets, Target } from '../../../domain/jobs-network.ts';
import type { JobsNetwork } from './network-spec.ts';
import { ruleTargetsOf } from './rule-targets.ts';
import { hashedRules } from './rules.ts';

/** The metadata service of clouds, which hands out the machine's credentials. */
const METADATA: Target = { host: '169.254.169.254', port: 80 };
/** A port of this host without a listener: without the rules, it refuses instead of staying silent. */
const CLOSED_PORT = 1;

/**
 * What a container on the network must find. `hostAddresses` are the known IPv4 addresses of this host; all of them must
 * be silent.
 */
export function probeTargetsOf(network: JobsNetwork, hostAddresses: readonly string[]): ProbeTargets {
  const { refused, silent } = ruleTargetsOf(network.secret, hashedRules(network));
  const own = new Set([network.gateway, ...hostAddresses.filter((host) => !host.startsWith('127.'))]);
  return {
    refused,
    silent: [...silent, ...[...own].map((host) => ({ host, port: CLOSED_PORT })), METADATA],
  };
}
