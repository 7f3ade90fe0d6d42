import type { ProbeTargets } from '../jobs-network.ts';

/** The network that lets jobs reach the internet and nothing else, as far as it can be seen without root. */
export interface IsolatedNetwork {
  /** What a container on it must find. Throws NETWORK_NOT_READY where it is not there or not as it has to be. */
  probeTargets(signal: AbortSignal): Promise<ProbeTargets>;
  /** Watches the engine that answers now: `gone` settles when it has gone, or when the signal aborts. */
  watchEngine(signal: AbortSignal): Promise<{ readonly gone: Promise<void> }>;
}
