import { AgentError } from '../../../domain/errors.ts';
import type { IsolatedNetwork } from '../../../domain/ports/network.ts';
import { ENGINE_DEADLINES } from '../engine/call.ts';
import { connectEngine, parseDockerHost } from '../engine/connection.ts';
import { DockerJobsNetwork, UP } from './jobs-network.ts';
import { probeTargetsOf } from './probe-targets.ts';
import { checkRules, type RuleCheck } from './rule-check.ts';

/** The jobs' network in the engine at `--docker-host`. Throws CONFIG_INVALID. */
export function openJobsNetwork(dockerHost: string): DockerJobsNetwork {
  return new DockerJobsNetwork(connectEngine(parseDockerHost(dockerHost)), ENGINE_DEADLINES);
}

/**
 * The jobs' network as the agent sees it. Throws NETWORK_NOT_READY instead of giving probe targets while the rules do not
 * answer this process: without them, no image may try the network. An engine on TCP may be on another host, where that
 * cannot be checked. `hostAddresses` is called for each probe, because addresses change.
 */
export function openIsolatedNetwork(
  dockerHost: string,
  hostAddresses: () => readonly string[],
  rulesAnswer: RuleCheck = checkRules,
): IsolatedNetwork {
  const network = openJobsNetwork(dockerHost);
  const isLocal = dockerHost.startsWith('unix:');
  return {
    probeTargets: async (signal) => {
      const targets = probeTargetsOf(await network.requireReady(signal), hostAddresses());
      if (!isLocal || (await rulesAnswer(targets.refused, signal))) return targets;
      throw new AgentError(
        'NETWORK_NOT_READY',
        'its rules are missing or from another version of the agent, or this host has no route to the internet',
        { hint: `${UP}; then: sudo sharedcloud-agent network status` },
      );
    },
    watchEngine: (signal) => network.watchEngine(signal),
  };
}
