import { AgentError } from '../../../domain/errors.ts';
import type { IsolatedNetwork } from '../../../domain/ports/network.ts';
import { ENGINE_DEADLINES } from '../engine/call.ts';
import { connectEngine, parseDockerHost } from '../engine/connection.ts';
import { DockerJobsNetwork, UP } from './jobs-network.ts';
import { probeTargetsOf } from './probe-targets.ts';
import { type ReadRuleTargets, readRuleTargets } from './read-probe-target.ts';

/** The jobs' network at the engine of that address, as `--docker-host` takes it. Throws CONFIG_INVALID. */
export function openJobsNetwork(dockerHost: string): DockerJobsNetwork {
  return new DockerJobsNetwork(connectEngine(parseDockerHost(dockerHost)), ENGINE_DEADLINES);
}

/**
 * The same as the agent sees it; `hostAddresses` are asked for each probeTargets, since they come and go. There is no
 * probeTargets where the rules do not answer this process: without them no stranger's code is to try the network. `hears`
 * says whether they do; not asked where the engine may be on another host.
 */
export function openIsolated(
  dockerHost: string,
  hostAddresses: () => readonly string[],
  hears: ReadRuleTargets = readRuleTargets,
): IsolatedNetwork {
  const network = openJobsNetwork(dockerHost);
  const here = dockerHost.startsWith('unix:');
  return {
    probeTargets: async (signal) => {
      const probeTargets = probeTargetsOf(await network.ready(signal), hostAddresses());
      if (!here || (await hears(probeTargets.refused, signal))) return probeTargets;
      throw new AgentError(
        'NETWORK_NOT_READY',
        'its rules are not there, or not those of this version of the agent, or this host has no route to the internet',
        { hint: `${UP}, and see what sudo sharedcloud-agent network status says` },
      );
    },
    watchEngine: (signal) => network.watchEngine(signal),
  };
}
