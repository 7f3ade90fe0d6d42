import { Agent } from 'node:http';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';

/** Where a Docker engine listens. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/** Parses `unix:///path` or `tcp://host:port` (default port 2375). Throws CONFIG_INVALID for everything else. */
export function parseDockerHost(text: string): EngineAddress {
  const refuse = (why: string): AgentError =>
    new AgentError('CONFIG_INVALID', `the Docker host ${JSON.stringify(text)} cannot be used: ${why}`, {
      hint: 'set --docker-host to unix:///var/run/docker.sock or tcp://host:port',
    });
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length);
    if (!socketPath.startsWith('/')) throw refuse('the socket path must be absolute');
    return { socketPath };
  }
  if (text.startsWith('ssh://')) {
    throw refuse('ssh is not supported, because job files must be on the engine’s own machine');
  }
  if (!text.startsWith('tcp://') || !URL.canParse(text)) throw refuse('only unix and tcp are supported');
  const url = new URL(text);
  if (url.hostname === '' || !['', '/'].includes(url.pathname)) throw refuse('it has no host and port');
  return { host: url.hostname, port: url.port === '' ? 2375 : Number(url.port) };
}

/** Whether the address is on this machine. A proxy there may still forward to another machine. */
export function isLocal(address: EngineAddress): boolean {
  return 'socketPath' in address || ['localhost', '127.0.0.1', '[::1]'].includes(address.host);
}

/**
 * An HTTP agent with a one-word description. docker-modem formats each call's options for its debug log even if that is
 * off, and describing all open sockets took more than half of the daemon's CPU time.
 */
class BriefAgent extends Agent {
  [inspect.custom](): string {
    return 'BriefAgent';
  }
}

/** A client for the engine at that address. It connects at the first call. */
export function connectEngine(address: EngineAddress): Docker {
  const where = 'socketPath' in address ? { ...address, host: undefined, port: undefined } : address;
  const options = {
    ...where,
    // dockerode takes missing options from DOCKER_* variables, which must not override the configuration.
    protocol: 'http' as const,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
    // A new connection for each call: one kept alive across a restart of the engine would fail the next call.
    agent: new BriefAgent({ keepAlive: false }),
  };
  return new Docker(options);
}
