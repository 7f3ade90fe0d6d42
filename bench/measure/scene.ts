import { join } from 'node:path';
import { AgentProcess } from '../../test/support/e2e/agent-process.ts';
import { AS_PACKAGED } from '../../test/support/e2e/as-packaged.ts';
import { addRun, openScenario } from '../../test/support/e2e/scenario.ts';
import { PYTHON } from '../../test/support/engine/find-engine.ts';
import { removeContainer } from '../../test/support/engine/remove-container.ts';
import type { Ground } from '../row.ts';
import { now } from './now.ts';
import { openTally } from './tally.ts';
import { until } from './until.ts';

/** The limits of a job: the same for the agent and the yardsticks, whatever the number of slots. */
export const JOB_CPUS = 1;
export const JOB_MEMORY_BYTES = 512 * 1024 * 1024;

/** A function that does next to nothing. */
export const TRIVIAL = 'def handler(event):\n    return event[0]\n';

/** How a scene differs from the default. */
export type SceneOptions = {
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether the broker holds calls; otherwise it answers at once. */
  readonly holdsCalls?: boolean;
};

/** A broker, an agent's host, and the times of events in milliseconds since the epoch. */
export type Scene = Awaited<ReturnType<typeof openScene>>;

/** Opens a scene with so many CPU slots and without an agent. */
export async function openScene(ground: Ground, slots: number, options: SceneOptions = {}) {
  await using opened = new AsyncDisposableStack();
  const scenario = opened.use(
    await openScenario(ground.engine.host, {
      SHAREDCLOUD_CPU_SLOTS: String(slots),
      SHAREDCLOUD_JOB_CPUS: String(JOB_CPUS),
      SHAREDCLOUD_JOB_MEMORY: `${JOB_MEMORY_BYTES} B`,
      SHAREDCLOUD_JOB_NETWORK: 'none',
      SHAREDCLOUD_POLL_INTERVAL: '5s',
      ...options.settings,
    }),
  );
  const tally = opened.use(await openTally(scenario.url, options.holdsCalls ?? true));
  const { store } = scenario.broker;
  const claimed = new Map<string, number>();
  const reported = new Map<string, number>();
  store.onEvent((event) => {
    if (event.kind === 'claimed') claimed.set(event.job.uuid, now());
    if (event.kind === 'reported') reported.set(event.job.uuid, now());
  });
  // A bench that ends midway leaves no containers.
  opened.defer(() => removeContainersOf(ground, [...claimed.keys()]));
  const env = { ...scenario.env, ...AS_PACKAGED, SHAREDCLOUD_BROKER_URL: tally.url };
  const kept = opened.move();
  return {
    store,
    tally,
    claimed,
    reported,
    stateDir: join(scenario.directory, 'state'),
    /** Starts an agent as the packages do; `through`: a command before it, such as that of a profiler. */
    spawn: (through: readonly string[] = []): AgentProcess =>
      new AgentProcess(['start'], env, ground.entry, through),
    /** Starts an agent, by a command that executes what follows it, and waits until it is on the market. */
    start: async (through: readonly string[] = []): Promise<AgentProcess> => {
      const agent = new AgentProcess(['start'], env, ground.entry, through);
      await until('an agent on the market', () => isUp(agent));
      return agent;
    },
    /** Adds a run of so many jobs to the market, of an image with Python; returns their uuids. */
    addRun: (code: string, jobs: number, image = PYTHON): readonly string[] => {
      const parameters = `(${Array.from({ length: jobs }, (_, index) => `(${index},),`).join('')})`;
      return store.jobsOf(addRun(scenario.broker, image, code, parameters)).map(({ uuid }) => uuid);
    },
    /** Waits until all of these are reported; returns the time of the last report. */
    allReported: async (jobs: readonly string[]): Promise<number> => {
      await until('all reports', () => jobs.every((job) => reported.has(job)), 900_000);
      return Math.max(...jobs.map((job) => reported.get(job) ?? 0));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Whether the agent has logged that it is on the market. Throws if it has exited. */
export function isUp(agent: AgentProcess): boolean {
  if (agent.child.exitCode !== null) throw new Error(`the agent has ended:\n${agent.said}`);
  // Older builds, for comparison, call it `offer-up`.
  return /"event":"offer-(?:registered|up)"/.test(agent.said);
}

async function removeContainersOf({ engine }: Ground, jobs: readonly string[]): Promise<void> {
  const filters = JSON.stringify({ label: ['sharedcloud.job'] });
  const found = await engine.docker.listContainers({ all: true, filters });
  for (const { Id, Labels } of found) {
    if (!jobs.includes(Labels['sharedcloud.job'] ?? '')) continue;
    await removeContainer(engine.docker, Id);
  }
}
