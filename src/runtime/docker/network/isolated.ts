import type { IsolatedNetwork } from '../../../domain/ports.ts';
import { ENGINE_DEADLINES } from '../call.ts';
import { connectEngine, parseDockerHost } from '../connection.ts';
import { challengeOf } from './challenge.ts';
import { DockerJobsNetwork } from './jobs-network.ts';

/** The jobs' network at the engine of that address, as `--docker-host` takes it. Throws CONFIG_INVALID. */
export function openJobsNetwork(dockerHost: string): DockerJobsNetwork {
  return new DockerJobsNetwork(connectEngine(parseDockerHost(dockerHost)), ENGINE_DEADLINES);
}

/** The same as the agent sees it; `hostAddresses` are asked for each challenge, since they come and go. */
export function openIsolated(dockerHost: string, hostAddresses: () => readonly string[]): IsolatedNetwork {
  const network = openJobsNetwork(dockerHost);
  return {
    challenge: async (signal) => challengeOf(await network.ready(signal), hostAddresses()),
    watchEngine: (signal) => network.watchEngine(signal),
  };
}
