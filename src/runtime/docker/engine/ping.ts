import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { callEngine } from './call.ts';
import { readFault } from './errors.ts';

/** How long the engine may take to say that it is there, in milliseconds: longer, and it is as good as away. */
const PING_MS = 3_000;

/** Settles when the engine answers, whatever it says but for a 5xx. Throws RUNTIME_UNAVAILABLE. */
export async function pingEngine(docker: Docker, maxMs: number, signal: AbortSignal): Promise<void> {
  // It takes a signal, which the client's published types do not know.
  const asked: { ping(options: { abortSignal: AbortSignal }): Promise<unknown> } = docker;
  const call = { doing: 'reach Docker', ms: Math.min(PING_MS, maxMs), signal };
  await callEngine(call, async (abortSignal) => {
    try {
      await asked.ping({ abortSignal });
    } catch (thrown) {
      const { message, status } = readFault(thrown);
      if (status === undefined) throw thrown;
      // A 5xx is most often the word of a proxy whose engine is away; anything else is an engine that speaks.
      if (status >= 500) throw new AgentError('RUNTIME_UNAVAILABLE', `could not reach Docker: ${message}`);
    }
  });
}
