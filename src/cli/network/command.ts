import { dockerEndpoint, lineLimits } from '../../compose-docker.ts';
import type { Config } from '../../config/config.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { findConntrack } from '../../host/connections.ts';
import type { EngineEndpoint } from '../../runtime/docker/engine/endpoint.ts';
import { openJobsNetwork } from '../../runtime/docker/network/isolated-network.ts';
import { Nft } from '../../runtime/docker/network/nft.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { listenForInterruption } from '../interruption.ts';
import { keepNetwork } from './keep.ts';
import { logConnections } from './log.ts';
import { inspectParts, type JobsNetworkHost, keptNetwork, up } from './parts.ts';
import { isReady, type NetworkParts, networkJson, networkText } from './render.ts';

/** The job network: a Docker network, and the host's firewall rules that let it reach only the internet. */
export const network: CliCommand = {
  name: 'network',
  summary: 'manage the job network, from which jobs reach only the internet (as root)',
  group: 'Set up',
  actions: [
    { name: 'up', help: 'create the network and its firewall rules, or repair them' },
    { name: 'keep', help: 'the same, and again whenever they are gone, until it is stopped' },
    { name: 'down', help: 'remove both; fails while jobs use the network' },
    {
      name: 'log',
      help: 'write the connections of jobs to a log, if --job-traffic-log is on; the service does',
    },
    { name: 'status', help: 'show both, without a change' },
  ],
  options: [
    'dockerHost',
    'dockerContext',
    'dockerConfig',
    'jobBandwidth',
    'jobBlockPorts',
    'jobTrafficLog',
    'jobTrafficLogDir',
    'logLevel',
    'logFormat',
    'configFile',
  ],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    { line: 'network up', does: 'creates what is missing; the service does so at each start' },
    { line: 'network keep', does: 'as a service of its own where no systemd runs `network up`' },
    { line: 'network status --json', does: 'as JSON, without a change' },
  ],
  run: async (context) => {
    const loaded = await context.loadConfig({ ask: false });
    const { config } = loaded;
    if (context.action === 'log') {
      requireRoot(context);
      return logConnections(context, config);
    }
    const engine = requireLocalEngine(dockerEndpoint(loaded));
    const limits = lineLimits(config);
    requireRoot(context);
    const nft = await Nft.find(context.path);
    const host = { engine, limits, nft };
    if (context.action === 'keep') return keep(context, config, host);
    if (context.action === 'up') await up(host);
    if (context.action === 'down') await down(engine, nft);
    const parts = {
      ...(await inspectParts(host)),
      log: await inspectLog(config, context.path),
    };
    const { stdout } = context;
    stdout.write(context.has(JSON_SWITCH) ? networkJson(parts) : networkText(parts, stdout));
    return context.action === 'down' || (isReady(parts) && parts.line === 'right') ? EXIT.OK : EXIT.FAILED;
  },
};

/** The rules belong on the engine's host, and only a Unix socket shows that it is this one. */
export function requireLocalEngine(engine: EngineEndpoint): EngineEndpoint {
  if (engine.host.startsWith('unix:')) return engine;
  throw new AgentError('NETWORK_UNSUPPORTED', `the engine at ${engine.host} may be on another host`, {
    hint: 'run this on the engine’s own host, with --docker-host unix:///var/run/docker.sock',
  });
}

/** The network first: that fails while jobs use it, and then the rules must stay. */
async function down(engine: EngineEndpoint, nft: Nft): Promise<void> {
  await openJobsNetwork(engine).remove();
  await nft.remove();
}

/** Keeps it up until a signal; jobs keep it then. */
async function keep(context: CliContext, config: Config, host: JobsNetworkHost): Promise<number> {
  const interruption = listenForInterruption();
  try {
    await keepNetwork(keptNetwork(host), context.createLog(config), interruption.first);
    return EXIT.OK;
  } finally {
    interruption.ignore();
  }
}

async function inspectLog(config: Config, path: string): Promise<NetworkParts['log']> {
  return {
    wanted: config.jobTrafficLog === 'on',
    directory: config.jobTrafficLogDir,
    conntrack: (await findConntrack(path)) !== undefined,
  };
}

function requireRoot({ action, uid }: CliContext): void {
  if (uid === 0) return;
  const hint = `sudo sharedcloud-agent network ${action}`;
  throw new AgentError('NETWORK_UNPRIVILEGED', 'the job network needs root', { hint });
}
