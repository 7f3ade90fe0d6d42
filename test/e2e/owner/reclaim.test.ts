import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openOwnerHost, STUBBORN } from '../../support/e2e/owner-host.ts';
import { eventually, GOOD as FIRST, BAD as SECOND } from '../../support/e2e/two-gpus.ts';
import { describeGpuStandIn } from '../../support/engine/docker.ts';

/* The owner's commands as an owner gives them, to an agent with two GPUs and jobs that take no notice of SIGTERM. */

const { CREATED, IN_PROGRESS } = JOB_STATUS;

describeGpuStandIn('an owner with two GPUs', (engine) => {
  test.concurrent('takes one back, then the other, and gives both to the market again', async () => {
    await using host = await openOwnerHost(engine, { heldMs: 2_000 });
    await using agent = await host.start();
    const run = host.addRun(STUBBORN, 2);
    await host.untilRunning(run, 2);
    for (const gpu of [FIRST, SECOND]) await agent.untilLogged({ event: 'job-started', gpu });
    expect(host.offered()).toEqual([2]);

    const first = await host.json('reclaim', '0', '--yes', '--within', '1s', '--note', 'a game');
    // The command has waited for it.
    expect(host.memory.holdersOf(FIRST)).toEqual([]);
    expect(first).toMatchObject({
      code: 0,
      agentRunning: true,
      changed: true,
      gpus: [{ gpu: FIRST, state: 'free', processes: [] }],
      targets: [{ target: FIRST, hold: { kind: 'manual' } }],
    });
    expect(first.targets[0]?.hold?.why).toContain('a game');
    expect(first.jobs).toHaveLength(1);
    await eventually(() => expect(host.offered()).toEqual([1]));
    await eventually(() =>
      expect(host.jobsOf(run).map(({ cost, status }) => [status, cost])).toEqual(
        expect.arrayContaining([
          [CREATED, null],
          [IN_PROGRESS, null],
        ]),
      ),
    );

    const second = await host.json('pause', '--now', '--gpu-minor', '0', '--yes', '--within', '0s');
    expect(second).toMatchObject({ code: 0, gpus: [{ gpu: SECOND, state: 'free' }] });
    await eventually(() => expect(host.offered()).toEqual([]));
    expect(host.claims).toHaveLength(2);

    expect(await host.json('resume', FIRST)).toMatchObject({ code: 0, targets: [{ hold: null }] });
    await host.untilRunning(run, 1);
    await eventually(() => expect(host.offered()).toEqual([1]));
    expect(await host.json('resume')).toMatchObject({
      code: 0,
      targets: [
        { target: FIRST, hold: null },
        { target: SECOND, hold: null },
      ],
    });
    await host.untilRunning(run, 2);
    await eventually(() => expect(host.offered()).toEqual([2]));
    expect(await host.json('pause', 'tesla', '--now', '--yes', '--within', '0s')).toMatchObject({
      code: 0,
      targets: [{ target: FIRST }, { target: SECOND }],
    });
    await eventually(() => expect(host.jobsOf(run).map(({ status }) => status)).toEqual([CREATED, CREATED]));
    expect(host.reports).toEqual([]);
  });

  test.concurrent('learns which process keeps a GPU’s memory', async () => {
    await using host = await openOwnerHost(engine, { heldMs: 20_000 });
    await using agent = await host.start();
    const run = host.addRun(STUBBORN, 1);
    await agent.untilLogged({ event: 'job-started' });
    const [gpu = ''] = [FIRST, SECOND].filter((one) => host.memory.holdersOf(one).length > 0);
    const holders = host.memory.holdersOf(gpu).map((pid) => ({ pid }));
    expect(holders).toHaveLength(1);
    const answer = await host.json('reclaim', gpu, '--yes', '--within', '0s');
    expect(answer).toMatchObject({ code: 1, gpus: [{ gpu, state: 'in-use', processes: holders }] });
    expect(host.jobsOf(run)).toMatchObject([{ cost: null }]);
  });

  test.concurrent('pauses while jobs run on, and they are paid', async () => {
    await using host = await openOwnerHost(engine);
    await using agent = await host.start();
    const run = host.addRun('import time\n\ndef handler(event):\n    time.sleep(8)\n    return 1\n', 2);
    for (const gpu of [FIRST, SECOND]) await agent.untilLogged({ event: 'job-started', gpu });
    expect(await host.json('pause', '0', '--for', '2h')).toMatchObject({ code: 0, changed: true });
    await eventually(() => expect(host.offered()).toEqual([1]));
    expect(await host.json('mode', '1', 'off')).toMatchObject({
      targets: [{ target: SECOND, hold: { kind: 'manual' } }],
    });
    await eventually(() => expect(host.offered()).toEqual([]));
    const late = host.addRun('def handler(event):\n    return 1\n', 1);
    // Neither is ended by the other's end.
    expect(await host.json('mode', '1', 'on')).toMatchObject({ targets: [{ target: SECOND, hold: null }] });
    expect(await host.json('mode', 'auto', '--gpu-minor', '0')).toMatchObject({ changed: true });
    await eventually(() => expect(host.offered()).toEqual([1]));
    await eventually(() =>
      expect(host.jobsOf(run).every(({ status }) => status === JOB_STATUS.SUCCEEDED)).toBe(true),
    );
    expect(host.jobsOf(run).every(({ cost }) => Number(cost) > 0)).toBe(true);
    await eventually(() => expect(host.jobsOf(late)).toMatchObject([{ status: JOB_STATUS.SUCCEEDED }]));
    expect(agent.logged({ event: 'job-started', gpu: FIRST })).toHaveLength(1);
    expect(agent.logged({ event: 'job-started', gpu: SECOND })).toHaveLength(2);
  });

  test.concurrent('commands while no agent runs, and the next start obeys', async () => {
    await using host = await openOwnerHost(engine, { heldMs: 2_000 });
    {
      await using agent = await host.start();
      const run = host.addRun(STUBBORN, 1);
      await agent.untilLogged({ event: 'job-started' });
      await host.untilRunning(run, 1);
    }
    expect(await host.json('pause', '0', '1')).toMatchObject({ code: 0, agentRunning: false, changed: true });
    expect(await host.json('pause', '1', '0')).toMatchObject({ code: 0, changed: false });
    // The job of the agent that was killed runs on, and nobody is there who could end it.
    expect((await host.command('reclaim', '0', '1', '--yes')).code).toBe(1);
    const waiting = host.addRun('def handler(event):\n    return 1\n', 1);
    await using agent = await host.start();
    await agent.untilLogged({ event: 'job-adopted' });
    const back = await host.json('reclaim', '0', '1', '--yes', '--within', '0s');
    expect(back).toMatchObject({ code: 0, changed: false, targets: [{ target: FIRST }, { target: SECOND }] });
    expect(back.jobs).toHaveLength(1);
    expect(host.memory.holdersOf(FIRST)).toEqual([]);
    expect(host.jobsOf(waiting)).toMatchObject([{ status: CREATED }]);
    expect(host.claims).toHaveLength(1);
    expect(await host.json('resume')).toMatchObject({ changed: true });
    await eventually(() => expect(host.jobsOf(waiting)).toMatchObject([{ status: JOB_STATUS.SUCCEEDED }]));
  });
});
