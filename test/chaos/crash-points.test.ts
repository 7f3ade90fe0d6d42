import { beforeAll, expect, test } from 'vitest';
import { type ChaosEnv, openChaosEnv } from '../support/chaos/chaos-env.ts';
import { addSleeper } from '../support/chaos/effects.ts';
import { COMPILE_ONCE } from '../support/chaos/figures.ts';
import { NOTHING, orphansOf } from '../support/chaos/orphans.ts';
import type { Life, Path } from '../support/chaos/path.ts';
import { PATHS } from '../support/chaos/paths.ts';
import { AgentProcess } from '../support/e2e/agent-process.ts';
import { describeDocker } from '../support/engine/docker.ts';

const BY_NAME = PATHS.map((path) => [path.name, path] as const);

const CRASHING = 'test/support/chaos/crashing-agent.ts';

describeDocker('an agent that is killed with SIGKILL at every step of', (engine) => {
  beforeAll(async () => {
    await using agent = new AgentProcess(['--version'], COMPILE_ONCE, CRASHING);
    await agent.ended;
  });

  test.concurrent.each(BY_NAME)(
    '%s: jobs start once, are reported once, nothing is left',
    async (_, path) => {
      await using chaos = await openChaosEnv(engine, settingsOf(path), path);
      if (path.lives.every(({ newJob }) => newJob === undefined)) addSleeper(chaos, 0);
      for (const life of path.lives) await live(chaos, path, life);
      await using last = new AgentProcess(['start', '--once'], { ...chaos.env, ...COMPILE_ONCE });
      expect(await last.ended).toMatchObject({ code: 0 });

      const { agentId, jobs } = chaos.readJournal();
      await chaos.watch.until(() => chaos.watch.leftOf(chaos.jobs).length === 0);
      expect(
        Object.fromEntries(
          chaos.jobs.map((job, index) => [nameOf(path, index), outcomeOf(chaos, path, job)]),
        ),
      ).toEqual(Object.fromEntries(chaos.jobs.map((_, index) => [nameOf(path, index), expected(path)])));
      expect(jobs.map(({ state }) => state.name)).toEqual(
        chaos.jobs.map(() => (path.end === undefined ? 'dropped' : 'reported')),
      );
      expect(chaos.store.instances.all()).toHaveLength(1);
      expect(await orphansOf(chaos, agentId)).toEqual(NOTHING);
    },
  );
});

/** One agent's life, from its start until it is killed where it is to be. */
async function live(chaos: ChaosEnv, path: Path, life: Life): Promise<void> {
  if (life.newJob !== undefined) addSleeper(chaos, life.newJob);
  const job = chaos.jobs.at(-1) ?? '';
  chaos.setClaimFault(life.claims);
  await using agent = new AgentProcess(
    path.daemon ? ['start'] : ['start', '--once'],
    {
      ...chaos.env,
      ...COMPILE_ONCE,
      CRASH_AT: life.crash,
      ...(life.newJob !== undefined && { CRASH_JOB: job }),
      ...(life.fail !== undefined && { FAIL_AT: life.fail }),
    },
    CRASHING,
  );
  const [ended] = await Promise.all([agent.ended, life.meanwhile?.(chaos, job, agent)]);
  if (ended.signal !== 'SIGKILL')
    throw new Error(`not killed ${life.crash}, but ${ended.code}:\n${ended.stderr}`);
  chaos.setClaimFault(undefined);
  await life.afterwards?.(chaos, job);
}

function settingsOf({ jobTimeout }: Path): Readonly<Record<string, string>> {
  return {
    SHAREDCLOUD_CPU_SLOTS: '1',
    ...(jobTimeout !== undefined && { SHAREDCLOUD_JOB_TIMEOUT: jobTimeout }),
  };
}

/** What became of a job, by the broker's books and the engine's events. */
function outcomeOf(chaos: ChaosEnv, path: Path, job: string) {
  const row = chaos.store.job(job);
  const end = row && { status: row.status, result: row.result, stdout: row.stdout };
  const maxStarts = path.again ? chaos.claims(job) : 1;
  const starts = chaos.watch.starts(job);
  return { end, reports: chaos.reports(job), starts: starts > 0 && starts <= maxStarts ? 'right' : starts };
}

function expected({ end }: Path): ReturnType<typeof outcomeOf> {
  return { end, reports: end === undefined ? 0 : 1, starts: 'right' };
}

/** A job is called after the step of the life that it came in. */
function nameOf({ lives }: Path, index: number): string {
  return `${index + 1}: ${lives.filter(({ newJob }) => newJob !== undefined)[index]?.crash ?? 'the only job'}`;
}
