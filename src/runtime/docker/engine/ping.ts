import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { callEngine } from './call.ts';
import { readFault } from './errors.ts';

/** The longest wait for a ping, in milliseconds. A slower engine counts as unreachable; nothing is claimed meanwhile. */
const PING_MS = 30_000;

/** Resolves if the engine answers with any status below 500. Throws RUNTIME_UNAVAILABLE. */
export async function pingEngine(docker: Docker, maxMs: number, signal: AbortSignal): Promise<void> {
  // dockerode's type does not know the signal.
  const client: { ping(options: { abortSignal: AbortSignal }): Promise<unknown> } = docker;
  const call = { action: 'reach Docker', ms: Math.min(PING_MS, maxMs), signal };
  await callEngine(call, async (abortSignal) => {
    try {
      await client.ping({ abortSignal });
    } catch (thrown) {
      const { message, status } = readFault(thrown);
      if (status === undefined) throw thrown;
      // A 5xx usually comes from a proxy that cannot reach its engine. Any other status comes from the engine.
      if (status >= 500) throw new AgentError('RUNTIME_UNAVAILABLE', `could not reach Docker: ${message}`);
    }
  });
}
