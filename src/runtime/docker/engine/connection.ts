import { Agent } from 'node:http';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';

/** Where a Docker engine listens. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/**
 * Reads a Docker host as the owner writes it: `unix:///path` or `tcp://host:port` (2375 where there is no port).
 * Throws CONFIG_INVALID for everything else.
 */
export function parseDockerHost(text: string): EngineAddress {
  const refuse = (why: string): AgentError =>
    new AgentError('CONFIG_INVALID', `the Docker host ${JSON.stringify(text)} cannot be used: ${why}`, {
      hint: 'give it as unix:///var/run/docker.sock or tcp://host:port',
    });
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length);
    if (!socketPath.startsWith('/')) throw refuse('the path of the socket must be absolute');
    return { socketPath };
  }
  if (text.startsWith('ssh://')) {
    throw refuse('ssh is not supported: jobs’ files must lie on the engine’s own machine');
  }
  if (!text.startsWith('tcp://') || !URL.canParse(text)) throw refuse('only unix and tcp are supported');
  const url = new URL(text);
  if (url.hostname === '' || !['', '/'].includes(url.pathname)) throw refuse('it names no host and port');
  return { host: url.hostname, port: url.port === '' ? 2375 : Number(url.port) };
}

/** Whether the address is one of this machine. What listens there may still be a way to another. */
export function isLocal(address: EngineAddress): boolean {
  return 'socketPath' in address || ['localhost', '127.0.0.1', '[::1]'].includes(address.host);
}

/**
 * An agent that tells little of itself. The client describes each call in full for its debug log, also where nobody
 * reads that; walking all open sockets for it took more than half of the daemon's time.
 */
class BriefAgent extends Agent {
  [inspect.custom](): string {
    return 'BriefAgent';
  }
}

/** A client for the engine at that address. It opens no connection before the first call. */
export function connectEngine(address: EngineAddress): Docker {
  const where = 'socketPath' in address ? { ...address, host: undefined, port: undefined } : address;
  const options = {
    ...where,
    // The client fills whatever is missing here from DOCKER_* of the environment, which is not ours to obey.
    protocol: 'http' as const,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
    // A connection of its own for each call: one kept from before the engine's restart would fail the next call.
    agent: new BriefAgent({ keepAlive: false }),
  };
  return new Docker(options);
}
