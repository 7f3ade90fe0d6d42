import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { BAD, eventually, GOOD, GPU_OF_JOB, openTwoGpus } from '../support/e2e/two-gpus.ts';
import { describeGpuStandIn, imageWith, PYTHON } from '../support/engine/docker.ts';
import { changed, TWO_T4 } from '../support/nvidia-smi/machines.ts';

/* Two GPUs on one host, of which the second goes bad; see test/support/e2e/two-gpus.ts for what is real. Each test
   has a host of its own, and mostly waits. */

const { CREATED, FAILED, SUCCEEDED } = JOB_STATUS;

/** Says where it ran, after so many seconds; on the bad GPU it fails instead. */
const job = (seconds: number, fails = true): string => `
import os, time

def handler(event):
    time.sleep(${seconds})
    where = ${GPU_OF_JOB}
    if ${fails ? 'True' : 'False'} and where == '${BAD}':
        raise SystemExit('CUDA error: no GPU answers')
    # Jobs on the good GPU take a little longer, so that the bad one gets its share of every run.
    time.sleep(0.5)
    return where
`;

/** Lines of the log about the bad GPU. */
const cordoned = (why = /./) => ({ event: 'gpu-cordoned', gpu: BAD, why });
const UNCORDONED = { event: 'gpu-uncordoned', gpu: BAD };
const CANARY_PASSED = { event: 'gpu-canary', gpu: BAD, level: 'info' };
const CANARY_FAILED = { event: 'gpu-canary', gpu: BAD, level: 'warn' };

type Host = Awaited<ReturnType<typeof openTwoGpus>>;

const statuses = (host: Host, run: string) => host.jobsOf(run).map(({ status }) => status);
const allOf = (host: Host, run: string, status: number) =>
  eventually(() => expect(statuses(host, run)).toEqual(host.jobsOf(run).map(() => status)));
/** Waits until a job has started on each GPU. */
const bothRun = async (host: Host) => {
  for (const gpu of [GOOD, BAD]) await host.agent.untilLogged({ event: 'job-started', gpu });
};
/** Where the jobs of a run were done. */
const places = (host: Host, run: string) => host.jobsOf(run).map(({ result }) => result);

describeGpuStandIn('one of two GPUs goes bad', (engine) => {
  test.concurrent('it asks for a reset: its job goes back and is done elsewhere, no other comes, until it is well', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4), 2);
    await bothRun(host);
    await host.smi.become(changed(TWO_T4, 1, { gpu_recovery_action: 'Reset' }));
    await allOf(host, first, SUCCEEDED);
    expect(places(host, first)).toEqual([GOOD, GOOD]);
    await host.agent.untilLogged(cordoned(/Reset/));

    await host.smi.become(TWO_T4);
    await host.agent.untilLogged(UNCORDONED);
    const second = host.addRun(job(3, false), 2);
    await allOf(host, second, SUCCEEDED);
    expect([...places(host, second)].sort()).toEqual([GOOD, BAD]);
    await host.leave();
  });

  test.concurrent('it vanishes: its job goes back, and jobs on the other go on', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4), 2);
    await bothRun(host);
    await host.smi.become({ ...TWO_T4, gpus: TWO_T4.gpus.slice(0, 1) });
    await host.agent.untilLogged(cordoned());
    const second = host.addRun(job(0), 3);
    await allOf(host, second, SUCCEEDED);
    await allOf(host, first, SUCCEEDED);
    expect([first, second].flatMap((run) => places(host, run))).toEqual(Array(5).fill(GOOD));
    await host.leave();
  });

  test.concurrent('the kernel’s log tells of it: its job goes back, and a canary brings the GPU back', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4), 2);
    await bothRun(host);
    await host.kernelSays(`NVRM: Xid (PCI:0000:02:00): 48, pid=7, name=python3, DBE (double bit error)`);
    await host.agent.untilLogged(cordoned(/Xid 48/));
    await allOf(host, first, SUCCEEDED);
    expect(places(host, first)).toEqual([GOOD, GOOD]);
    await host.agent.untilLogged(CANARY_PASSED);
    await host.agent.untilLogged(UNCORDONED);
    await host.leave();
  });

  test.concurrent('nvidia-smi hangs: no new jobs at all, those that run are done and reported', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4), 2);
    await bothRun(host);
    await host.smi.become({ ...TWO_T4, fault: { kind: 'hang' } });
    await host.agent.untilLogged({ event: 'gpu-probe-failed' });
    // The one has succeeded; that the other failed while its GPU could not be asked is not called its failure.
    await eventually(() => expect([...statuses(host, first)].sort()).toEqual([CREATED, SUCCEEDED]));
    await host.smi.become(TWO_T4);
    await host.agent.untilLogged({ event: 'gpu-probe-recovered' });
    const second = host.addRun(job(0, false), 2);
    await allOf(host, second, SUCCEEDED);
    await host.leave();
  });

  test.concurrent('jobs fail on it at once: after three runs a canary has to pass, and does', async () => {
    await using host = await openTwoGpus(engine);
    const runs = Array.from({ length: 3 }, () => host.addRun(job(0), 4));
    await host.agent.untilLogged(cordoned(/3 runs/));
    await host.agent.untilLogged(CANARY_PASSED);
    await host.agent.untilLogged(UNCORDONED);
    // Nothing else spoke against the GPU, so that the failures are the jobs' own.
    await eventually(() => {
      const ends = runs.flatMap((run) => statuses(host, run));
      expect(ends.every((status) => status === FAILED || status === SUCCEEDED)).toBe(true);
      expect(ends.filter((status) => status === FAILED).length).toBeGreaterThanOrEqual(3);
    });
    await host.leave();
  });

  test.concurrent('jobs and the canary fail on it: it stays out, and jobs on the other go on', async () => {
    const refuses = `[ "\${STAND_IN_GPU:-$NVIDIA_VISIBLE_DEVICES}" != ${BAD} ] || exit 9; exec python3 -c "$CODE"`;
    await using image = await imageWith(engine, PYTHON, `localhost:5000/sharedcloud/test-${randomUUID()}`, [
      `CMD ${JSON.stringify(['/bin/bash', '-c', refuses])}`,
    ]);
    await using host = await openTwoGpus(engine, image.ref);
    for (let runs = 0; runs < 3; runs += 1) host.addRun(job(0), 4);
    await host.agent.untilLogged(CANARY_FAILED);
    const later = host.addRun(job(0), 4);
    await allOf(host, later, SUCCEEDED);
    expect(places(host, later)).toEqual([GOOD, GOOD, GOOD, GOOD]);
    expect(host.agent.logged(UNCORDONED)).toEqual([]);
    await host.leave();
  });

  test.concurrent('others use its memory: its job that fails goes back, no other comes until the memory is free', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4), 2);
    await bothRun(host);
    await host.smi.become(changed(TWO_T4, 1, { 'memory.used': '15100' }));
    await allOf(host, first, SUCCEEDED);
    expect(places(host, first)).toEqual([GOOD, GOOD]);
    await host.agent.untilLogged(cordoned(/MiB memory are free/));
    const second = host.addRun(job(0), 3);
    await allOf(host, second, SUCCEEDED);
    expect(places(host, second)).toEqual([GOOD, GOOD, GOOD]);
    await host.smi.become(TWO_T4);
    await host.agent.untilLogged(UNCORDONED);
    await host.leave();
  });

  test.concurrent('it is lost among good rows: the line of nvidia-smi is its reason, the other goes on', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4), 2);
    await bothRun(host);
    const after = 'Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.\n';
    const gpus = TWO_T4.gpus.slice(0, 1);
    await host.smi.become({ ...TWO_T4, gpus, around: { before: '', after, exit: 15, stderr: '' } });
    await host.agent.untilLogged(cordoned(/GPU is lost/));
    await host.agent.untilLogged({ event: 'gpu-notice', gpu: BAD });
    await allOf(host, first, SUCCEEDED);
    expect(places(host, first)).toEqual([GOOD, GOOD]);
    await host.leave();
  });

  test.concurrent('a job leaves memory in use: what holds it is named, no job comes until it is back', async () => {
    await using host = await openTwoGpus(engine);
    const first = host.addRun(job(4, false), 2);
    await bothRun(host);
    await host.smi.become({
      ...changed(TWO_T4, 1, { 'memory.used': '9004' }),
      processes: [{ pid: 4711, gpu: BAD, used: '8900' }],
    });
    await allOf(host, first, SUCCEEDED);
    await host.agent.untilLogged(cordoned(/9000 MiB.*4711.*8900 MiB/));
    const second = host.addRun(job(0, false), 3);
    await allOf(host, second, SUCCEEDED);
    expect(places(host, second)).toEqual([GOOD, GOOD, GOOD]);
    await host.smi.become(TWO_T4);
    await host.agent.untilLogged(UNCORDONED);
    await host.leave();
  });
});
