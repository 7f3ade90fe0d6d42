import { AgentError } from '../../../domain/errors.ts';
import type { IsolatedNetwork } from '../../../domain/ports/network.ts';
import { ENGINE_DEADLINES } from '../engine/call.ts';
import { openEngine } from '../engine/connection.ts';
import type { EngineEndpoint } from '../engine/endpoint.ts';
import { DockerJobsNetwork, UP } from './jobs-network.ts';
import { isDefaultLine, type LineLimits, lineTargetsOf } from './line-rules.ts';
import { probeTargetsOf } from './probe-targets.ts';
import { checkRules, type RuleCheck } from './rule-check.ts';

/** The jobs' network in an engine. Throws CONFIG_INVALID. */
export function openJobsNetwork(engine: Pick<EngineEndpoint, 'host' | 'tls'>): DockerJobsNetwork {
  return new DockerJobsNetwork(openEngine(engine), ENGINE_DEADLINES);
}

/** How the jobs' network is opened. */
export type IsolatedNetworkOptions = {
  readonly engine: Pick<EngineEndpoint, 'host' | 'tls'>;
  /** What the rules allow jobs on the owner's line. */
  readonly line: LineLimits;
  /** The IPv4 addresses of this host; called for each probe, because they change. */
  readonly hostAddresses: () => readonly string[];
  /** For tests. */
  readonly rulesAnswer?: RuleCheck;
};

/**
 * The jobs' network as the agent sees it. Throws NETWORK_NOT_READY instead of giving probe targets while the rules do not
 * answer this process: without them, no image may try the network. An engine on TCP may be on another host, where that
 * cannot be checked.
 */
export function openIsolatedNetwork(options: IsolatedNetworkOptions): IsolatedNetwork {
  const { engine, hostAddresses, line, rulesAnswer = checkRules } = options;
  const network = openJobsNetwork(engine);
  const isLocal = engine.host.startsWith('unix:');
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
    lineProblem: async (signal) => {
      if (!isLocal) return undefined;
      const { refused } = lineTargetsOf((await network.requireReady(signal)).secret, line);
      if (await rulesAnswer(refused, signal)) return undefined;
      if (isDefaultLine(line)) return { what: 'outgoing mail (port 25) is not blocked', hint: UP };
      throw new AgentError(
        'NETWORK_NOT_READY',
        '--job-block-ports or --job-bandwidth is not in force with the values that this agent has',
        { hint: `set both in the configuration file, which \`network up\` reads too, then: ${UP}` },
      );
    },
    watchEngine: (signal) => network.watchEngine(signal),
  };
}
