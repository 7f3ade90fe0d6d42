import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { expectNothingLeft, PYTHON, type TestEngine } from '../engine/docker.ts';
import { journalctlStandIn } from '../journalctl/stand-in.ts';
import { TWO_T4 } from '../nvidia-smi/machines.ts';
import { standIn } from '../nvidia-smi/stand-in.ts';
import { AgentProcess } from './agent-process.ts';
import { addRun, openScenario } from './scenario.ts';

/** The uuids of the two GPUs; the second is the one that goes bad. */
export const [GOOD = '', BAD = ''] = TWO_T4.gpus.map(({ cells }) => cells['uuid'] ?? '');

/** A Python expression for the uuid of a job's GPU: what the CDI spec of the test engine sets, else the toolkit's. */
export const GPU_OF_JOB = "os.environ.get('STAND_IN_GPU', os.environ['NVIDIA_VISIBLE_DEVICES'])";

/** Waits for a condition for as long as a daemon may need on a busy machine. */
export const eventually = (condition: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(condition, { timeout: 120_000, interval: 50 });

/**
 * A host with two GPUs and a running daemon: nvidia-smi and the kernel's log are stand-ins, all else is real.
 * `image` is what its jobs use. An nvidia-smi that is not `quick` notes every call, and shows changes in a loop.
 */
export async function openTwoGpus(
  engine: TestEngine,
  image = PYTHON,
  {
    env = {},
    quick = true,
  }: { readonly env?: Readonly<Record<string, string>>; readonly quick?: boolean } = {},
) {
  await using opened = new AsyncDisposableStack();
  const smi = opened.use(await standIn(TWO_T4, { quick }));
  const journal = opened.use(await journalctlStandIn());
  const scenario = opened.use(
    await openScenario(engine.host, {
      PATH: `${journal.directory}:${process.env['PATH'] ?? ''}`,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
      ...env,
    }),
  );
  const agent = opened.use(new AgentProcess(['start'], scenario.env));
  await agent.untilLogged({ event: 'offer-registered' });
  const { store } = scenario.broker;
  const kept = opened.move();
  return {
    smi,
    agent,
    /** Lets the kernel say something. */
    kernelSays: journal.say,
    /** Puts a run of this Python function on the market, of so many jobs. */
    addRun: (code: string, jobs: number): string =>
      addRun(scenario.broker, image, code, `(${'(),'.repeat(jobs)})`, true),
    jobsOf: (run: string): readonly JobRow[] => store.jobsOf(run),
    /** Drains the daemon, and sees that neither it nor a canary leaves anything behind. */
    leave: async (): Promise<void> => {
      agent.signal('SIGUSR1');
      expect((await agent.ended).code).toBe(0);
      const stateDir = openStateDir(join(scenario.directory, 'state'));
      const jobs = openJournal(stateDir, scenario.url, systemClock);
      const { agentId } = jobs;
      jobs.close();
      stateDir.close();
      await expectNothingLeft(engine, agentId);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
