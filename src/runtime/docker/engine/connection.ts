import { realpathSync } from 'node:fs';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { http } from '../../../lib/http.ts';
import { boundAnswers } from './bounded-answers.ts';
import type { EngineEndpoint } from './endpoint.ts';
import type { EngineTls } from './tls.ts';

/** Where a Docker engine listens. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/** Docker's ports without and with TLS. */
const PORTS = { plain: 2375, tls: 2376 } as const;

/** Parses `unix:///path` or `tcp://host:port` (default port 2375, with TLS 2376). Throws CONFIG_INVALID for everything else. */
export function parseDockerHost(text: string, isTls = false): EngineAddress {
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
  return { host: url.hostname, port: url.port === '' ? PORTS[isTls ? 'tls' : 'plain'] : Number(url.port) };
}

/** The address with a socket's own path, because `/var/run` is often a link to `/run`; the same where nothing is there. */
export function withoutLinks(host: string): string {
  const address = parseDockerHost(host);
  if (!('socketPath' in address)) return host;
  try {
    return `unix://${realpathSync(address.socketPath)}`;
  } catch {
    return host;
  }
}

/** Whether the address is on this machine. A proxy there may still forward to another machine. */
export function isLocal(address: EngineAddress): boolean {
  return 'socketPath' in address || ['localhost', '127.0.0.1', '[::1]'].includes(address.host);
}

/**
 * docker-modem formats each call's options for its debug log even if that is off, which took half of the daemon's CPU time.
 * Options that describe themselves in one word spare that.
 */
function withoutDebugLog(docker: Docker): Docker {
  const { modem } = docker;
  const build: unknown = Reflect.get(modem, 'buildRequest');
  if (typeof build !== 'function') return docker;
  const brief = { value: () => 'options', configurable: true };
  Reflect.set(modem, 'buildRequest', (options: object, ...rest: readonly unknown[]): void => {
    Object.defineProperty(options, inspect.custom, brief);
    Reflect.apply(build, modem, [options, ...rest]);
  });
  return docker;
}

/** A client for an engine. It connects at the first call. Throws CONFIG_INVALID as `parseDockerHost` does. */
export function openEngine({ host, tls }: Pick<EngineEndpoint, 'host' | 'tls'>): Docker {
  return connectEngine(parseDockerHost(host, tls !== undefined), tls);
}

/** A client for the engine at that address. It connects at the first call. */
export function connectEngine(address: EngineAddress, tls?: EngineTls): Docker {
  const where = 'socketPath' in address ? { ...address, host: undefined, port: undefined } : address;
  const options = {
    ...where,
    // dockerode takes missing options from DOCKER_* variables, which must not override the configuration.
    protocol: tls === undefined ? ('http' as const) : ('https' as const),
    ca: tls?.ca,
    cert: tls?.client?.cert,
    key: tls?.client?.key,
    timeout: undefined,
    // A new connection for each call: one kept alive across a restart of the engine would fail the next call.
    agent:
      tls === undefined
        ? new http.Agent({ keepAlive: false })
        : new TlsAgent({ keepAlive: false, rejectUnauthorized: tls.verify }),
  };
  return withoutDebugLog(boundAnswers(new Docker(options)));
}
