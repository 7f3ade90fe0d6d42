import type { ProbeTargets, Target } from '../../../domain/jobs-network.ts';
import type { JobsNetwork } from './network-spec.ts';
import { ruleTargetsOf } from './probe-target.ts';
import { vouchedFor } from './rules.ts';

/** Where clouds answer questions about the machine, with its credentials among the answers. */
const METADATA: Target = { host: '169.254.169.254', port: 80 };
/** On an address of this host, a port at which nobody listens is as good: without rules it is refused. */
const CLOSED_PORT = 1;

/**
 * What a container on the network must find. `hostAddresses`: the IPv4 addresses of this host, as far as they are
 * known; all of them must be silent.
 */
export function probeTargetsOf(network: JobsNetwork, hostAddresses: readonly string[]): ProbeTargets {
  const ruleTargets = ruleTargetsOf(network.secret, vouchedFor(network));
  const own = new Set([network.gateway, ...hostAddresses.filter((host) => !host.startsWith('127.'))]);
  const silent = [...own].map((host) => ({ host, port: CLOSED_PORT }));
  return { refused: ruleTargets.refused, silent: [...ruleTargets.silent, ...silent, METADATA] };
}
