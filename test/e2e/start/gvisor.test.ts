import { release } from 'node:os';
import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, openScenario } from '../../support/e2e/scenario.ts';
import { describeRuntime, PYTHON } from '../../support/engine/docker.ts';

const WHERE = `import os\ndef handler(event):\n    return '%s %s' % (os.uname().release, os.getuid())\n`;
const BROKEN = `def handler(event):\n    raise ValueError('broken')\n`;

await describeRuntime('runsc', 'start --job-runtime runsc', (engine) => {
  test('runs jobs in a kernel that is not this host’s', async () => {
    await using set = await openScenario(engine.host, {
      SHAREDCLOUD_CPU_SLOTS: '2',
      SHAREDCLOUD_JOB_NETWORK: 'none',
      SHAREDCLOUD_JOB_RUNTIME: 'runsc',
    });
    const where = addRun(set.broker, PYTHON, WHERE, '((1,), (2,))');
    const broken = addRun(set.broker, PYTHON, BROKEN, '((),)');
    await using agent = new AgentProcess(['start', '--once'], set.env);
    const { code } = await agent.ended;
    for (const { result, status } of set.broker.store.jobsOf(where)) {
      expect(status).toBe(JOB_STATUS.SUCCEEDED);
      expect(result).toMatch(/^\d+\.\d+\S* 655[23]\d$/);
      expect(result).not.toContain(release());
    }
    expect(set.broker.store.jobsOf(broken).map(({ status }) => status)).toEqual([JOB_STATUS.FAILED]);
    expect(code).toBe(0);
  });
});
