import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { until } from '../broker/until.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { addRun, type openScenario } from '../e2e/scenario.ts';
import { ProcessMonitor, type ProcessStats } from './process-stats.ts';

const ENTRY = 'test/support/chaos/measured-agent.ts';
/** So long may processes take to be gone after their jobs are over. */
const GONE = { timeout: 30_000, interval: 50 };
const JOBS_PER_RUN = 5;

/** What one agent has to do. */
export type Workload = {
  readonly jobs: number;
  /** It is measured after each so many jobs, when all of them are reported. */
  readonly batch: number;
  readonly image: string;
  readonly code: string;
};

type Scenario = Awaited<ReturnType<typeof openScenario>>;

/** Has one agent do many jobs, some of which fail, in many runs; answers what it held after each batch. */
export async function runWorkload(
  scenario: Scenario,
  env: Readonly<Record<string, string>>,
  workload: Workload,
): Promise<readonly ProcessStats[]> {
  const { broker } = scenario;
  let reported = 0;
  const silence = broker.store.onEvent((event) => void (event.kind === 'reported' && (reported += 1)));
  await using agent = new AgentProcess(['start'], { ...scenario.env, ...env }, ENTRY);
  const signs = new ProcessMonitor(agent, scenario.env.SHAREDCLOUD_STATE_DIR);
  const stats: ProcessStats[] = [];
  const died = agent.ended.then(({ stderr }) => Promise.reject(new Error(`the agent has ended:\n${stderr}`)));
  for (let jobs = 0; jobs < workload.jobs; ) {
    for (const end = jobs + workload.batch; jobs < end; jobs += JOBS_PER_RUN) {
      const parameters = Array.from({ length: JOBS_PER_RUN }, (_, index) => `(${jobs + index},)`);
      addRun(broker, workload.image, workload.code, `(${parameters.join(', ')},)`);
    }
    await Promise.race([until(broker.store, () => reported === jobs), died]);
    // The last of them may still be cleared away.
    await vi.waitFor(async () => expect(await signs.children()).toBe(0), GONE);
    const files = join(scenario.env.SHAREDCLOUD_STATE_DIR, 'jobs');
    await vi.waitFor(async () => expect(await readdir(files)).toEqual([]), GONE);
    stats.push(await signs.measure(jobs));
  }
  silence();
  agent.signal('SIGTERM');
  await agent.ended;
  died.catch(() => undefined);
  return stats;
}
