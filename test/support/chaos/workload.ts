import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { until } from '../broker/until.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { addRun, type openStage } from '../e2e/scenario.ts';
import { type SystemdStatus, VitalSigns } from './process-stats.ts';

const ENTRY = 'test/support/chaos/measured-agent.ts';
/** So long may processes take to be gone after their jobs are over. */
const GONE = { timeout: 30_000, interval: 50 };
const JOBS_PER_RUN = 5;

/** What one agent has to do. */
export type Labour = {
  readonly jobs: number;
  /** It is measured after each so many jobs, when all of them are reported. */
  readonly batch: number;
  readonly image: string;
  readonly code: string;
};

type Stage = Awaited<ReturnType<typeof openStage>>;

/** Has one agent do many jobs, some of which fail, in many runs; answers what it held after each batch. */
export async function toil(
  stage: Stage,
  env: Readonly<Record<string, string>>,
  labour: Labour,
): Promise<readonly SystemdStatus[]> {
  const { broker } = stage;
  let reported = 0;
  const silence = broker.store.onEvent((event) => void (event.kind === 'reported' && (reported += 1)));
  await using agent = new AgentProcess(['start'], { ...stage.env, ...env }, ENTRY);
  const signs = new VitalSigns(agent, stage.env.SHAREDCLOUD_STATE_DIR);
  const vitals: SystemdStatus[] = [];
  const died = agent.ended.then(({ stderr }) => Promise.reject(new Error(`the agent has ended:\n${stderr}`)));
  for (let jobs = 0; jobs < labour.jobs; ) {
    for (const end = jobs + labour.batch; jobs < end; jobs += JOBS_PER_RUN) {
      const parameters = Array.from({ length: JOBS_PER_RUN }, (_, index) => `(${jobs + index},)`);
      addRun(broker, labour.image, labour.code, `(${parameters.join(', ')},)`);
    }
    await Promise.race([until(broker.store, () => reported === jobs), died]);
    // The last of them may still be cleared away.
    await vi.waitFor(async () => expect(await signs.children()).toBe(0), GONE);
    const files = join(stage.env.SHAREDCLOUD_STATE_DIR, 'jobs');
    await vi.waitFor(async () => expect(await readdir(files)).toEqual([]), GONE);
    vitals.push(await signs.measure(jobs));
  }
  silence();
  agent.signal('SIGTERM');
  await agent.ended;
  died.catch(() => undefined);
  return vitals;
}
