import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { openJournal } from '../../src/journal/open-journal.ts';
import { openStateDir } from '../../src/journal/state-dir.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startsOf } from '../support/chaos/engine-starts.ts';
import { AgentProcess } from '../support/e2e/agent-process.ts';
import { addRun, HELLO_PYTHON, openStage } from '../support/e2e/stage.ts';
import { describeDocker, expectNothingLeft, PYTHON } from '../support/engine/docker.ts';

/** Every step of a job's way, in its order, before and after. */
const STEPS = [
  'journal.begin',
  'broker.claim',
  'journal.move claimed',
  'files.layOut',
  'runtime.create',
  'journal.move starting',
  'runtime.start',
  'journal.move running',
  'files.output',
  'runtime.wait',
  'journal.move finished',
  'runtime.remove',
  'files.remove',
  'broker.report',
  'journal.move reported',
].flatMap((step) => [`before ${step}`, `after ${step}`]);

describeDocker('an agent that is killed with SIGKILL', (engine) => {
  test.each(STEPS)('%s: the job starts once, is reported once, and nothing is left', async (step) => {
    const since = Math.floor(Date.now() / 1000) - 1;
    await using stage = await openStage(engine.host, { SHAREDCLOUD_CPU_SLOTS: '1' });
    const run = addRun(stage.broker, PYTHON, HELLO_PYTHON, "(('again',),)");
    const reported: string[] = [];
    stage.broker.store.onEvent((event) => void (event.kind === 'reported' && reported.push(event.job.uuid)));

    await using doomed = new AgentProcess(
      ['start', '--once'],
      { ...stage.env, CRASH_AT: step },
      'test/support/chaos/crashing-agent.ts',
    );
    expect((await doomed.ended).code).toBeNull();
    await using next = new AgentProcess(['start', '--once'], stage.env);
    expect((await next.ended).code).toBe(0);

    const [job] = stage.broker.store.jobsOf(run);
    expect(job).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: 'again', stdout: 'hello again\n' });
    expect(reported).toEqual([job?.uuid]);
    expect(await startsOf(engine, job?.uuid ?? '', since)).toBe(1);
    const stateDir = openStateDir(join(stage.directory, 'state'));
    const journal = openJournal(stateDir, stage.url, systemClock);
    expect(journal.history(10).map(({ state }) => state.name)).toEqual(['reported']);
    await expectNothingLeft(engine, journal.agentId);
    journal.close();
    stateDir.close();
    expect(await readdir(join(stage.directory, 'state', 'jobs'))).toEqual([]);
  });
});
