import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, openScenario } from '../../support/e2e/scenario.ts';
import { GOOD as DISPLAY, eventually, GPU_OF_JOB, BAD as OTHER } from '../../support/e2e/two-gpus.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import type { Machine } from '../../support/nvidia-smi/machine.ts';
import { changed, TWO_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const DESKTOP: Machine = changed({ ...TWO_T4, fields: [...TWO_T4.fields, 'display_active'] }, 0, {
  display_active: 'Enabled',
});
const GAME = { pid: process.pid, gpu: DISPLAY, type: 'G', used: '2104', sm: '63', name: 'vkquake' } as const;
const WHERE = `import os\ndef handler(*args):\n    return ${GPU_OF_JOB}\n`;

describeDocker('an owner who plays', (engine) => {
  test('keeps the GPU with the display, and the other one earns on; jobs are never taken for a game', async () => {
    await using smi = await standIn({ ...DESKTOP, processes: [GAME] });
    await using set = await openScenario(engine.host, { SHAREDCLOUD_NVIDIA_SMI: smi.program });
    await using agent = new AgentProcess(['start'], set.env);
    await agent.untilLogged({ event: 'presence-changed', gpu: DISPLAY, state: 'here' });
    const { broker } = set;
    const run = addRun(broker, PYTHON, WHERE, '((),(),())', true);
    const jobs = () => broker.store.jobsOf(run);
    await eventually(() =>
      expect(jobs().map(({ status }) => status)).toEqual(Array(3).fill(JOB_STATUS.SUCCEEDED)),
    );
    expect(new Set(jobs().map(({ result }) => result.replaceAll(/['"]/g, '')))).toEqual(new Set([OTHER]));
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });
});
