import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, HELLO_NODE, HELLO_PYTHON, openScenario, TOKEN } from '../../support/e2e/scenario.ts';
import { GPU_OF_JOB } from '../../support/e2e/two-gpus.ts';
import { describeDocker, describeGpuStandIn, NODE, PYTHON } from '../../support/engine/docker.ts';
import { type Fault, faults, HttpProxy } from '../../support/faults/http-proxy.ts';
import { toolkitOf } from '../../support/gpu/toolkit.ts';
import { TESLA_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

describeDocker('start --once with nothing but environment variables', (engine) => {
  test('runs Python and Node.js jobs in containers, and shows the token nowhere', async () => {
    await using set = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '2' });
    const python = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('a',), ('ü\\n',), (3,))");
    const writer = addRun(
      set.broker,
      PYTHON,
      "def handler(event):\n    open('scratch.txt', 'w').write('kept')\n    return open('scratch.txt').read()\n",
      '((),)',
    );
    const node = addRun(set.broker, NODE, HELLO_NODE, "((b'x',), (None,))");
    await using agent = new AgentProcess(['start', '--once'], set.env);
    const { code, stderr, stdout } = await agent.ended;
    expect(set.broker.store.jobsOf(python).map(({ result }) => result)).toEqual(['a', 'ü\n', '3']);
    expect(set.broker.store.jobsOf(node).map(({ result }) => result)).toEqual([
      '{"got":{"type":"Buffer","data":[120]}}',
      '{"got":null}',
    ]);
    expect(set.broker.store.jobsOf(writer).map(({ result }) => result)).toEqual(['kept']);
    expect(code).toBe(0);
    expect(stderr + stdout).not.toContain(TOKEN);
  });

  test('gets through a broker that fails in every way now and then, each job once', async () => {
    await using set = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '3' });
    const run = addRun(
      set.broker,
      PYTHON,
      HELLO_PYTHON,
      `(${Array.from({ length: 12 }, (_, n) => `(${n},)`).join(', ')})`,
    );
    const reported: string[] = [];
    set.broker.store.onEvent((event) => void (event.kind === 'reported' && reported.push(event.job.uuid)));
    const bad: readonly Fault[] = [
      faults.serverError,
      faults.tooMany(1),
      faults.html,
      faults.cutBefore,
      faults.cutAfter,
      faults.cutMidway,
      faults.truncate,
    ];
    // Every second try of each call fails, in one way after the other.
    await using front = await HttpProxy.open(set.url, ({ count, total }) =>
      count % 2 === 0 ? bad[total % bad.length] : undefined,
    );
    await using agent = new AgentProcess(['start', '--once'], {
      ...set.env,
      SHAREDCLOUD_BROKER_URL: front.url,
    });
    const { code } = await agent.ended;
    const jobs = set.broker.store.jobsOf(run);
    expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => JOB_STATUS.SUCCEEDED));
    expect(reported).toHaveLength(12);
    expect(new Set(reported).size).toBe(12);
    expect(code).toBe(0);
  });

  test('a second agent on the same state directory is refused, and SIGTERM ends the first with 0', async () => {
    await using set = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '1' });
    await using first = new AgentProcess(['start'], set.env);
    await first.untilLogged({ event: 'offer-registered' });
    await using second = new AgentProcess(['start', '--once'], set.env);
    const refused = await second.ended;
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('STATE_DIR_IN_USE');
    first.signal('SIGTERM');
    expect((await first.ended).code).toBe(0);
  });
});

describeGpuStandIn('start --once with a GPU', (engine) => {
  test('offers the GPU that nvidia-smi shows and hands it to the container by its uuid', async () => {
    await using smi = await standIn(TESLA_T4);
    await using set = await openScenario(engine.host, { SHAREDCLOUD_NVIDIA_SMI: smi.program });
    const code = `import os\ndef handler(event):\n    return ${GPU_OF_JOB}\n`;
    const run = addRun(set.broker, PYTHON, code, '((),)', true);
    await using agent = new AgentProcess(['start', '--once'], set.env);
    expect((await agent.ended).code).toBe(0);
    const [instance] = set.broker.store.instances.all();
    expect(instance).toMatchObject({ type: 2, askPrice: 0.1, maxNumParallelJobs: 1 });
    const [job] = set.broker.store.jobsOf(run);
    expect(job?.status).toBe(JOB_STATUS.SUCCEEDED);
    expect(job?.result).toBe(TESLA_T4.gpus[0]?.cells['uuid']);
  });

  test('is refused a GPU where the container toolkit lets images out, unless its owner accepts that', async () => {
    await using smi = await standIn(TESLA_T4);
    await using toolkit = await toolkitOf('1.17.8');
    const PATH = `${toolkit.directory}:${process.env['PATH'] ?? ''}`;
    await using set = await openScenario(engine.host, { SHAREDCLOUD_NVIDIA_SMI: smi.program, PATH });
    await using refused = new AgentProcess(['start', '--once'], set.env);
    const { code, stderr } = await refused.ended;
    expect(code).toBe(6);
    expect(stderr).toContain('CVE-2026-24260');
    expect(stderr).toContain('--accept-risk nvidia-container-toolkit');
    expect(set.broker.store.instances.all()).toEqual([]);
    const accept = ['--accept-risk', 'nvidia-container-toolkit'];
    await using accepting = new AgentProcess(['start', '--once', ...accept], set.env);
    expect((await accepting.ended).code).toBe(0);
    expect(set.broker.store.instances.all()).toHaveLength(1);
  });
});
