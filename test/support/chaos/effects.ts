import type { AgentProcess } from '../e2e/agent-process.ts';
import { PYTHON } from '../engine/docker.ts';
import { said } from './daemon.ts';
import type { World } from './test-env.ts';

/* What is done from outside to a job and its agent. */

/** Puts a handler that sleeps on the market; answers the job. */
export function addSleeper(world: World, seconds: number): string {
  const code = `import time\n\ndef handler(event):\n    time.sleep(event[0])\n    print('awake')\n    return 'done'\n`;
  const [job] = world.addRun(PYTHON, code, `((${seconds},),)`);
  if (job === undefined) throw new Error('the run has no job');
  return job;
}

const started = (world: World, job: string): Promise<void> =>
  world.watch.until(() => world.watch.starts(job) > 0);

/** Signals the agent once the job has started. */
export const signalled =
  (signal: NodeJS.Signals) =>
  async (world: World, job: string, agent: AgentProcess): Promise<void> => {
    await started(world, job);
    agent.signal(signal);
  };

/** Removes the job's container once it has started, as somebody else at the engine would. */
export const removedByOthers = async (world: World, job: string): Promise<void> => {
  await started(world, job);
  for (const id of world.watch.leftOf([job]))
    await world.engine.docker.getContainer(id).remove({ force: true });
};

/** Repricer the agent to give its jobs back once the job has started. */
export const givenBack = async (world: World, job: string, agent: AgentProcess): Promise<void> => {
  await signalled('SIGUSR1')(world, job, agent);
  // Two signals of a kind may be taken for one.
  await said(agent, 'drain: ');
  agent.signal('SIGUSR1');
};

/** Deletes the job's run once it has started. */
export const cancelled = async (world: World, job: string): Promise<void> => {
  await started(world, job);
  world.deleteRunOf(job);
};
