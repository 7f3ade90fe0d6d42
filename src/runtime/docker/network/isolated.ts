import { AgentError } from '../../../domain/errors.ts';
import type { IsolatedNetwork } from '../../../domain/ports.ts';
import { ENGINE_DEADLINES } from '../engine/call.ts';
import { connectEngine, parseDockerHost } from '../engine/connection.ts';
import { DockerJobsNetwork, UP } from './jobs-network.ts';
import { challengeOf } from './probe-targets.ts';
import { type HearBeacon, hearBeacon } from './read-probe-target.ts';

/** The jobs' network at the engine of that address, as `--docker-host` takes it. Throws CONFIG_INVALID. */
export function openJobsNetwork(dockerHost: string): DockerJobsNetwork {
  return new DockerJobsNetwork(connectEngine(parseDockerHost(dockerHost)), ENGINE_DEADLINES);
}

/**
 * The same as the agent sees it; `hostAddresses` are asked for each challenge, since they come and go. There is no
 * challenge where the rules do not answer this process: without them no stranger's code is to try the network. `hears`
 * says whether they do; not asked where the engine may be on another host.
 */
export function openIsolated(
  dockerHost: string,
  hostAddresses: () => readonly string[],
  hears: HearBeacon = hearBeacon,
): IsolatedNetwork {
  const network = openJobsNetwork(dockerHost);
  const here = dockerHost.startsWith('unix:');
  return {
    challenge: async (signal) => {
      const challenge = challengeOf(await network.ready(signal), hostAddresses());
      if (!here || (await hears(challenge.refused, signal))) return challenge;
      throw new AgentError(
        'NETWORK_NOT_READY',
        'its rules are not there, or not those of this version of the agent, or this host has no route to the internet',
        { mend: `${UP}, and see what sudo sharedcloud-agent network status says` },
      );
    },
    watchEngine: (signal) => network.watchEngine(signal),
  };
}
