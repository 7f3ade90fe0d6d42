import { beforeAll, expect, test } from 'vitest';
import { type Asked, ask } from '../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../src/control-api/endpoints.ts';
import type { CommandAnswer, ReclaimAnswer } from '../../src/control-api/protocol.ts';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { openDecisions } from '../../src/journal/open-journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStateDir } from '../../src/state-dir/state-dir.ts';
import { type ChaosEnv, openChaosEnv } from '../support/chaos/chaos-env.ts';
import { addSleeper } from '../support/chaos/effects.ts';
import { COMPILE_ONCE } from '../support/chaos/figures.ts';
import { amount } from '../support/chaos/length.ts';
import { NOTHING, orphansOf } from '../support/chaos/orphans.ts';
import { along, type Step } from '../support/chaos/path.ts';
import { AgentProcess } from '../support/e2e/agent-process.ts';
import { eventually } from '../support/e2e/two-gpus.ts';
import { describeDocker, PYTHON, type TestEngine } from '../support/engine/docker.ts';

const CRASHING = 'test/support/chaos/crashing-agent.ts';
const COMMAND = 'test/support/chaos/crashing-command.ts';

const { CREATED, SUCCEEDED } = JOB_STATUS;

/** Takes no notice of SIGTERM, and is done after a while. */
const STUBBORN = `
import signal, time

def handler(event):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(4)
    return 'done'
`;

/** Every step of a reclaim, in its order. */
const STEPS: readonly Step[] = along(
  'decisions.save',
  'runtime.stop',
  'runtime.remove',
  'journal.transition releasing',
  'broker.release',
  'journal.transition released',
);
/** Those at which the job is still as it was. */
const RUNNING: ReadonlySet<Step> = new Set([
  'before decisions.save',
  'after decisions.save',
  'before runtime.stop',
]);

function openEnv(engine: TestEngine): Promise<ChaosEnv> {
  return openChaosEnv(engine, { SHAREDCLOUD_CPU_SLOTS: '1', SHAREDCLOUD_NVIDIA_SMI: '/nonexistent' });
}

const startAgent = (
  chaos: ChaosEnv,
  more: Readonly<Record<string, string>> = {},
  entry?: string,
): AgentProcess => new AgentProcess(['start'], { ...chaos.env, ...COMPILE_ONCE, ...more }, entry);

/** A command of the owner, without the time that a process of its own takes. */
const pause = (chaos: ChaosEnv): Promise<Asked<CommandAnswer>> =>
  ask(chaos.stateDir, ENDPOINTS.pause, { caller: 'a test', body: {} }, 60_000);
const resume = (chaos: ChaosEnv): Promise<Asked<CommandAnswer>> =>
  ask(chaos.stateDir, ENDPOINTS.resume, { caller: 'a test', body: {} }, 60_000);
const reclaim = (chaos: ChaosEnv, withinMs: number): Promise<Asked<ReclaimAnswer>> =>
  ask(chaos.stateDir, ENDPOINTS.reclaim, { caller: 'a test', body: { withinMs, confirmed: true } }, 60_000);

/** What is decided on disk, and what is on record; only while no agent is at it. */
function onDisk({ stateDir }: Pick<ChaosEnv, 'stateDir'>) {
  const directory = openStateDir(stateDir);
  const journal = openDecisions(directory, systemClock);
  try {
    return { pauses: journal.decisions.load().length, commands: journal.decisions.audit(10).length };
  } finally {
    journal.close();
    directory.close();
  }
}

const isStatus = (chaos: ChaosEnv, job: string, status: number): Promise<void> =>
  eventually(() => expect(chaos.store.job(job)?.status).toBe(status));

/** All jobs are done once each, and nothing is left of them. */
async function expectAllDone(chaos: ChaosEnv, agent: AgentProcess): Promise<void> {
  for (const job of chaos.jobs) await isStatus(chaos, job, SUCCEEDED);
  agent.signal('SIGUSR1');
  expect(await agent.ended).toMatchObject({ code: 0 });
  for (const job of chaos.jobs) {
    expect(chaos.reports(job)).toBe(1);
    expect(chaos.watch.starts(job)).toBeGreaterThan(0);
    expect(chaos.watch.starts(job)).toBeLessThanOrEqual(chaos.claims(job));
  }
  expect(await orphansOf(chaos, chaos.readJournal().agentId)).toEqual(NOTHING);
}

describeDocker('an owner’s command', (engine) => {
  beforeAll(async () => {
    await using agent = new AgentProcess(['--version'], COMPILE_ONCE, CRASHING);
    await agent.ended;
  });

  test.concurrent.each(STEPS)(
    'of an agent that is killed %s of a reclaim: as before, or paused with the job on the market',
    async (step) => {
      await using chaos = await openEnv(engine);
      const job = addSleeper(chaos, 6);
      {
        await using agent = startAgent(
          chaos,
          { CRASH_AT: `after journal.transition running, ${step}`, CRASH_JOB: job },
          CRASHING,
        );
        await agent.untilLogged({ event: 'job-started' });
        addSleeper(chaos, 0);
        await reclaim(chaos, 0);
        expect((await agent.ended).signal).toBe('SIGKILL');
      }
      const isPaused = step !== 'before decisions.save';
      expect(onDisk(chaos)).toEqual(isPaused ? { pauses: 1, commands: 1 } : { pauses: 0, commands: 0 });
      const claims = chaos.claims(job);
      await using agent = startAgent(chaos);
      if (isPaused) {
        // Jobs run on to their end, or go to the market; no other comes.
        await isStatus(chaos, job, RUNNING.has(step) ? SUCCEEDED : CREATED);
        await agent.untilLogged({ event: 'test-container-passed' });
        expect(chaos.jobs.map((one) => chaos.claims(one))).toEqual([claims, 0]);
        expect(await resume(chaos)).toMatchObject({ answer: { changed: true } });
      }
      await expectAllDone(chaos, agent);
      expect(chaos.watch.starts(job)).toBe(RUNNING.has(step) ? 1 : 2);
    },
  );

  test.concurrent('while the agent is drained is obeyed, and the drain ends', async () => {
    await using chaos = await openEnv(engine);
    const job = addSleeper(chaos, 300);
    await using agent = startAgent(chaos);
    await agent.untilLogged({ event: 'job-started' });
    agent.signal('SIGUSR1');
    await agent.untilLogged({ event: 'signal-received', action: 'drain' });
    const both = await Promise.all([pause(chaos), pause(chaos)]);
    expect(both.map((asked) => asked.kind === 'answer' && asked.answer.changed).sort()).toEqual([
      false,
      true,
    ]);
    expect(await reclaim(chaos, 0)).toMatchObject({ answer: { changed: false, jobs: [{ job }], left: [] } });
    expect(await agent.ended).toMatchObject({ code: 0 });
    expect(chaos.store.job(job)).toMatchObject({ status: CREATED, cost: null });
    expect(onDisk(chaos)).toEqual({ pauses: 1, commands: 1 });
  });

  test.concurrent('that SIGTERM interrupts leaves a pause, and the job is done once', async () => {
    await using chaos = await openEnv(engine);
    chaos.addRun(PYTHON, STUBBORN, '((),)');
    {
      await using agent = startAgent(chaos);
      await agent.untilLogged({ event: 'job-started' });
      const asked = reclaim(chaos, 60_000);
      await agent.untilLogged({ event: 'owner-command' });
      agent.signal('SIGTERM');
      expect(await agent.ended).toMatchObject({ code: 0 });
      expect(['answer', 'silent']).toContain((await asked).kind);
    }
    expect(onDisk(chaos)).toEqual({ pauses: 1, commands: 1 });
    await using agent = startAgent(chaos);
    await agent.untilLogged({ event: 'recovery-completed' });
    expect(await resume(chaos)).toMatchObject({ answer: { changed: true } });
    await expectAllDone(chaos, agent);
  });

  test.concurrent.each([
    ['before load', 0],
    ['before save', 0],
    ['after save', 1],
  ])('that is killed itself %s, without an agent, has taken effect %i times', async (step, times) => {
    await using chaos = await openEnv(engine);
    const env = { ...chaos.env, ...COMPILE_ONCE };
    await using killed = new AgentProcess(['pause'], { ...env, CRASH_AT: step }, COMMAND);
    expect((await killed.ended).signal).toBe('SIGKILL');
    expect(onDisk(chaos)).toEqual({ pauses: times, commands: times });
    await using next = new AgentProcess(['pause', '--tag', 'another'], env, COMMAND);
    expect(await next.ended).toMatchObject({ code: 0 });
    expect(onDisk(chaos)).toEqual({ pauses: times + 1, commands: times + 1 });
  });

  test.concurrent('that comes while the agent starts is obeyed by it, and both go on', async () => {
    await using chaos = await openEnv(engine);
    const env = { ...chaos.env, ...COMPILE_ONCE };
    for (let round = 0; round < amount('CHAOS_ROUNDS', 2, 20); round += 1) {
      await using agent = startAgent(chaos);
      const commands = ['a', 'b'].map((tag) => new AgentProcess(['pause', '--tag', tag], env, COMMAND));
      for (const { ended } of commands) expect(await ended).toMatchObject({ code: 0 });
      await agent.untilLogged({ event: 'recovery-completed' });
      expect(await resume(chaos)).toMatchObject({ answer: { changed: true } });
      agent.signal('SIGTERM');
      expect(await agent.ended).toMatchObject({ code: 0 });
      expect(onDisk(chaos)).toMatchObject({ pauses: 0 });
    }
  });
});
