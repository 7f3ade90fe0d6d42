import { expect, test } from 'vitest';
import { eventually, BAD as HOT, openTwoGpus } from '../support/e2e/two-gpus.ts';
import { describeGpuStandIn, PYTHON } from '../support/engine/docker.ts';
import { removeContainer } from '../support/engine/remove-container.ts';
import { changed, TWO_T4 } from '../support/nvidia-smi/machines.ts';

/* What samples the GPUs of a real agent: nvidia-smi is a stand-in, and prints a round every second while a job runs. */

const JOB = `
import time

def handler(event):
    time.sleep(600)
`;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describeGpuStandIn('the GPUs of a running agent', (engine) => {
  test('one that gets too hot takes no jobs until it has cooled, and nothing samples after a kill -9', async () => {
    const env = { SHAREDCLOUD_MAX_GPU_TEMPERATURE: '80' };
    await using host = await openTwoGpus(engine, PYTHON, { env, quick: false });
    const loops = async (): Promise<readonly number[]> =>
      (await host.smi.calls()).filter(({ args }) => args.includes('-lms')).map(({ pid }) => pid);
    expect(await loops()).toEqual([]);
    const run = host.addRun(JOB, 1);
    await host.agent.untilLogged({ event: 'job-started' });
    await eventually(async () => expect(await loops()).toHaveLength(1));

    await host.smi.become(changed(TWO_T4, 1, { 'temperature.gpu': '81' }));
    await host.agent.untilLogged({ event: 'gpu-cordoned', gpu: HOT, why: /80 °C/ });
    await host.smi.become(changed(TWO_T4, 1, { 'temperature.gpu': '75' }));
    await host.agent.untilLogged({ event: 'gpu-uncordoned', gpu: HOT });
    const [sampler = 0, ...others] = await loops();
    expect(others).toEqual([]);
    expect(isAlive(sampler)).toBe(true);
    host.agent.signal('SIGKILL');
    await eventually(() => expect(isAlive(sampler)).toBe(false));
    for (const { uuid } of host.jobsOf(run)) await removeContainer(engine.docker, `sharedcloud-job-${uuid}`);
  });
});
