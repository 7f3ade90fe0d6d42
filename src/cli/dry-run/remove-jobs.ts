import { asAgentError } from '../../domain/errors.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';

/** More than a dry run has jobs: an engine that never lets one go must not hold us. */
const MOST_ROUNDS = 3;

/** Ends and removes every job that the runtime has for this agent. Never throws: what may be left is logged. */
export async function removeJobs(runtime: Pick<Runtime, 'list' | 'remove'>, log: Log): Promise<void> {
  try {
    // Again until none is there: one that was being made when its story was called off comes late.
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const found = await runtime.list();
      if (found.length === 0) return;
      await Promise.all(found.map(({ id }) => runtime.remove(id)));
    }
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    log.warn({ code }, `jobs of this dry run may be left: ${message}`);
  }
}
