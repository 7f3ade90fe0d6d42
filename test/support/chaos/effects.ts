import type { AgentProcess } from '../e2e/agent-process.ts';
import { PYTHON } from '../engine/docker.ts';
import type { ChaosEnv } from './chaos-env.ts';

/* What is done from outside to a job and its agent. */

/** Puts a handler that sleeps on the market; answers the job. */
export function addSleeper(chaos: ChaosEnv, seconds: number): string {
  const code = `import time\n\ndef handler(event):\n    time.sleep(event[0])\n    print('awake')\n    return 'done'\n`;
  const [job] = chaos.addRun(PYTHON, code, `((${seconds},),)`);
  if (job === undefined) throw new Error('the run has no job');
  return job;
}

const started = (chaos: ChaosEnv, job: string): Promise<void> =>
  chaos.watch.until(() => chaos.watch.starts(job) > 0);

/** Signals the agent once the job has started. */
export const signalled =
  (signal: NodeJS.Signals) =>
  async (chaos: ChaosEnv, job: string, agent: AgentProcess): Promise<void> => {
    await started(chaos, job);
    agent.signal(signal);
  };

/** Removes the job's container once it has started, as somebody else at the engine would. */
export const removedByOthers = async (chaos: ChaosEnv, job: string): Promise<void> => {
  await started(chaos, job);
  for (const id of chaos.watch.leftOf([job]))
    await chaos.engine.docker.getContainer(id).remove({ force: true });
};

/** Has the agent evict its jobs once the job has started. */
export const evicted = async (chaos: ChaosEnv, job: string, agent: AgentProcess): Promise<void> => {
  await signalled('SIGUSR1')(chaos, job, agent);
  // Two signals of a kind may be taken for one.
  await agent.untilLogged({ event: 'signal-received', action: 'drain' });
  agent.signal('SIGUSR1');
};

/** Deletes the job's run once it has started. */
export const cancelled = async (chaos: ChaosEnv, job: string): Promise<void> => {
  await started(chaos, job);
  chaos.deleteRunOf(job);
};
