import type { ProbeTargets } from '../jobs-network.ts';

/** The network on which jobs reach only the internet, as seen without root. */
export interface IsolatedNetwork {
  /** What a container on it must find. Throws NETWORK_NOT_READY if the network is missing or misconfigured. */
  probeTargets(signal: AbortSignal): Promise<ProbeTargets>;
  /**
   * What is wrong with the rules that protect the owner's line and name, where jobs may have the network all the same:
   * rules of an older agent. Undefined: nothing, or it cannot be checked from here. Throws NETWORK_NOT_READY where the owner
   * has set limits that are not in force.
   */
  lineProblem(signal: AbortSignal): Promise<{ readonly what: string; readonly hint: string } | undefined>;
  /** Watches the engine that answers now: `gone` settles when that engine has stopped or the signal aborts. */
  watchEngine(signal: AbortSignal): Promise<{ readonly gone: Promise<void> }>;
}
