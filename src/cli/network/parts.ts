import { AgentError } from '../../domain/errors.ts';
import type { Target } from '../../domain/jobs-network.ts';
import type { EngineEndpoint } from '../../runtime/docker/engine/endpoint.ts';
import { openJobsNetwork } from '../../runtime/docker/network/isolated-network.ts';
import { type LineLimits, lineTargetsOf } from '../../runtime/docker/network/line-rules.ts';
import type { JobsNetwork } from '../../runtime/docker/network/network-spec.ts';
import type { Nft } from '../../runtime/docker/network/nft.ts';
import { probeTargetsOf } from '../../runtime/docker/network/probe-targets.ts';
import { checkRules } from '../../runtime/docker/network/rule-check.ts';
import { hasBridge } from './bridge.ts';
import type { KeptNetwork } from './keep.ts';
import { isReady, type NetworkParts } from './render.ts';

/** What the job network is made of on this host, and the limits of its line. */
export type JobsNetworkHost = {
  readonly engine: EngineEndpoint;
  readonly limits: LineLimits;
  readonly nft: Nft;
};

/** Creates the network and its rules, or repairs them. Throws NETWORK_UNSUPPORTED, NETWORK_FAILED. */
export async function up({ engine, limits, nft }: JobsNetworkHost): Promise<JobsNetwork> {
  const made = await openJobsNetwork(engine).ensure();
  if (!(await hasBridge()))
    throw new AgentError('NETWORK_UNSUPPORTED', 'Docker’s bridge is not an interface of this host', {
      hint: 'set --job-network none: a rootless engine or one in a virtual machine has no such network',
    });
  await nft.apply(made, limits);
  return made;
}

/** Everything as it is, without a change. */
export async function inspectParts({
  engine,
  limits,
  nft,
}: JobsNetworkHost): Promise<Omit<NetworkParts, 'log'>> {
  const docker = await openJobsNetwork(engine).inspect();
  return {
    docker,
    bridge: await hasBridge(),
    rules: await nft.compareIsolation(docker?.network),
    line: await nft.compareLine(docker?.network, limits),
    limits,
  };
}

/** The network as `keepNetwork` keeps it. */
export function keptNetwork(host: JobsNetworkHost): KeptNetwork {
  let refused: readonly Target[] = [];
  const { engine, limits } = host;
  const docker = openJobsNetwork(engine);
  return {
    repair: async () => {
      const parts = await inspectParts(host);
      const right = isReady(parts) && parts.line === 'right' ? parts.docker?.network : undefined;
      refused = refusedBy(right ?? (await up(host)), limits);
      return right === undefined;
    },
    rulesAnswer: (signal) => checkRules(refused, signal),
    watchEngine: (signal) => docker.watchEngine(signal),
  };
}

/** The ports at which the rules refuse a connection of this host while they are in force. */
function refusedBy(network: JobsNetwork, limits: LineLimits): readonly Target[] {
  const line = lineTargetsOf(network.secret, limits);
  return [...probeTargetsOf(network, []).refused, ...line.refused];
}
