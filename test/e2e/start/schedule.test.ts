import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { openScenario } from '../../support/e2e/scenario.ts';
import { BAD, GOOD, GPU_OF_JOB } from '../../support/e2e/two-gpus.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { TWO_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const CODE = `import os\ndef handler(*args):\n    return ${GPU_OF_JOB}\n`;
const MINUTE = 60_000;

/** A rule of the file, for these GPUs and at all times unless `hours` says otherwise. */
const table = (available: boolean, gpus: string, hours = '00:00-24:00'): string =>
  `[[availability]]\nhours = "${hours}"\ngpus = ["${gpus}"]\navailable = ${available}\n`;

describeDocker('the schedule', (engine) => {
  test('lets jobs run on the GPUs whose windows are open, at once after a reload', async () => {
    await using smi = await standIn(TWO_T4, { quick: true });
    await using set = await openScenario(engine.host, { SHAREDCLOUD_NVIDIA_SMI: smi.program });
    const { broker, directory, env } = set;
    const file = join(directory, 'config.toml');
    const write = (rules: string): Promise<void> => writeFile(file, `time-zone = "UTC"\n${rules}`);
    const image = broker.store.addImage({ registryPath: PYTHON, requiresGpu: true, runtime: 'python36' });
    const addFunction = () => broker.store.addFunction({ name: 'sample', code: CODE, image });
    const addRun = (fn: string, jobs = 1): string =>
      broker.store.addRun({ function: fn, parameters: `(${'(),'.repeat(jobs)})`, bidPrice: 0.5 });
    const results = async (run: string): Promise<readonly string[]> => {
      const jobs = () => broker.store.jobsOf(run);
      await vi.waitFor(
        () => expect(jobs().every(({ status }) => status === JOB_STATUS.SUCCEEDED)).toBe(true),
        60_000,
      );
      return [...new Set(jobs().map(({ result }) => result.replaceAll(/['"]/g, '')))];
    };

    await write(table(false, '1'));
    await using agent = new AgentProcess(['start', '--config', file], env);
    const known = addFunction();
    expect(await results(addRun(known, 3))).toEqual([GOOD]);

    await write(table(false, GOOD));
    agent.signal('SIGHUP');
    await agent.untilLogged({ event: 'configuration-reloaded' });
    expect(await results(addRun(known))).toEqual([BAD]);

    // It takes half an hour by all that is known of it, and the window ends sooner.
    const soon = new Date(Date.now() + 4 * MINUTE).toISOString().slice(11, 16);
    const now = new Date(Date.now() - MINUTE).toISOString().slice(11, 16);
    await write(table(true, 'T4', `${now}-${soon}`));
    agent.signal('SIGHUP');
    await agent.untilLogged({ event: 'configuration-reloaded' }, 2);
    const other = addRun(addFunction());
    await agent.untilLogged({ event: 'run-skipped', run: other, reason: 'ends-after-window' });
    expect(await results(addRun(known))).toHaveLength(1);
    expect(broker.store.jobsOf(other).map(({ status }) => status)).toEqual([JOB_STATUS.CREATED]);
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });
});
