import type { ProbeTargets } from '../jobs-network.ts';

/** The network on which jobs reach only the internet, as seen without root. */
export interface IsolatedNetwork {
  /** What a container on it must find. Throws NETWORK_NOT_READY if the network is missing or misconfigured. */
  probeTargets(signal: AbortSignal): Promise<ProbeTargets>;
  /** Watches the engine that answers now: `gone` settles when that engine has stopped or the signal aborts. */
  watchEngine(signal: AbortSignal): Promise<{ readonly gone: Promise<void> }>;
}
