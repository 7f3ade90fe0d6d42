import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, HELLO_PYTHON, openScenario } from '../../support/e2e/scenario.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';

describeDocker('SIGHUP', (engine) => {
  test('takes new prices from the file for runs that stand already, and refuses a broken file', async () => {
    await using set = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '1' });
    const file = join(set.directory, 'config.toml');
    await writeFile(file, 'ask-price = 0.9\n');
    const run = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('cheap',),)");
    const { SHAREDCLOUD_ASK_PRICE: _, ...environment } = set.env;
    await using agent = new AgentProcess(['start', '--config', file], environment);
    await agent.untilLogged({ event: 'run-skipped', reason: 'bid-below-ask' });

    await writeFile(file, 'ask-price = "cheap"\n');
    agent.signal('SIGHUP');
    await agent.untilLogged({ event: 'reload-failed' });
    expect(set.broker.store.instances.all()[0]?.askPrice).toBe(0.9);

    await writeFile(file, 'ask-price = 0.4\ncpu-slots = 1\njob-timeout = "1h"\n');
    agent.signal('SIGHUP');
    await vi.waitFor(
      () => expect(set.broker.store.jobsOf(run).map(({ status }) => status)).toEqual([JOB_STATUS.SUCCEEDED]),
      30_000,
    );
    expect(set.broker.store.instances.all()[0]?.askPrice).toBe(0.4);
    expect(agent.logged({ event: 'restart-needed', settings: ['job-timeout'] })).toHaveLength(1);
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });
});
