import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { anySignal, waitAtMost } from '../../../lib/deadline.ts';
import { callEngine } from './call.ts';
import { readFault } from './errors.ts';

/** The longest wait for a ping, in milliseconds. A slower engine counts as unreachable; nothing is claimed meanwhile. */
const PING_MS = 30_000;
/** An engine that was lost may never answer an old ping, so another one follows beside it. */
const AGAIN_MS = 3_000;

/** Resolves if the engine answers with any status below 500. Throws RUNTIME_UNAVAILABLE. */
export async function pingEngine(docker: Docker, maxMs: number, signal: AbortSignal): Promise<void> {
  const call = { action: 'reach Docker', ms: Math.min(PING_MS, maxMs), signal };
  await callEngine(call, async (late) => {
    const answered = new AbortController();
    const over = anySignal(late, answered.signal);
    const pings: Promise<true>[] = [];
    try {
      // The first that ends decides, also if it fails.
      do pings.push(ping(docker, over));
      while ((await waitAtMost(AGAIN_MS, Promise.race(pings), over)) !== true && !over.aborted);
      over.throwIfAborted();
    } finally {
      answered.abort();
    }
  });
}

async function ping(docker: Docker, abortSignal: AbortSignal): Promise<true> {
  // dockerode's type does not know the signal.
  const client: { ping(options: { abortSignal: AbortSignal }): Promise<unknown> } = docker;
  try {
    await client.ping({ abortSignal });
  } catch (thrown) {
    const { message, status } = readFault(thrown);
    if (status === undefined) throw thrown;
    // A 5xx usually comes from a proxy that cannot reach its engine. Any other status comes from the engine.
    if (status >= 500) throw new AgentError('RUNTIME_UNAVAILABLE', `could not reach Docker: ${message}`);
  }
  return true;
}
