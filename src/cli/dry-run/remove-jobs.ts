import { asAgentError } from '../../domain/errors.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';

/** An engine that never removes a container must not hold up the end. */
const MAX_ROUNDS = 3;

/** Stops and removes every job of this agent. Never throws; logs what may be left. */
export async function removeJobs(runtime: Pick<Runtime, 'list' | 'remove'>, log: Log): Promise<void> {
  try {
    // Repeated, because a job that was being created when the agent stopped appears late.
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const found = await runtime.list();
      if (found.length === 0) return;
      await Promise.all(found.map(({ id }) => runtime.remove(id)));
    }
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    log.warn({ event: 'removal-failed', code }, `jobs of this dry run may be left: ${message}`);
  }
}
