import type Docker from 'dockerode';
import type { AgentError } from '../../../domain/errors.ts';
import { callEngine } from './call.ts';
import { engineError, readFault } from './errors.ts';
import { type EngineFacts, notDocker, readFacts } from './facts.ts';

/** Asks the engine for its info and version, each within `ms`. Throws RUNTIME_UNAVAILABLE, also at another server. */
export async function queryFacts(
  docker: Docker,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<EngineFacts> {
  const call = { action: 'read Docker’s info and version', ms, signal };
  // dockerode's types do not know the signal.
  const client: {
    info(options: { abortSignal: AbortSignal }): Promise<unknown>;
    version(options: { abortSignal: AbortSignal }): Promise<unknown>;
  } = docker;
  // Every engine has both, so a 404 comes from another server.
  const toError = (thrown: unknown): AgentError =>
    readFault(thrown).status === 404 ? notDocker(thrown) : engineError(thrown, call.action);
  const info = await callEngine(call, (abortSignal) => client.info({ abortSignal }), toError);
  const version = await callEngine(call, (abortSignal) => client.version({ abortSignal }), toError);
  return readFacts(info, version);
}
