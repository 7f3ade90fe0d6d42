import { expect, test } from 'vitest';
import { lineOf, readChecked } from '../../support/cli/checked.ts';
import { runProcess } from '../../support/cli/process.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, HELLO_PYTHON, openScenario } from '../../support/e2e/scenario.ts';
import { eventually } from '../../support/e2e/two-gpus.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { EngineProxy } from '../../support/engine/engine-proxy.ts';

describeDocker('an engine that answers and can start no container', (engine) => {
  test('claims nothing; log and health --ready say why, and a repaired engine does the job', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const message = 'OCI runtime create failed: runc: executable file not found in $PATH';
    let isBroken = true;
    proxy.plan = ({ name }) => (isBroken && name === 'start' ? { answer: 500, message } : 'pass');
    await using scenario = await openScenario(proxy.host, { SHAREDCLOUD_CPU_SLOTS: '2' });
    const run = addRun(scenario.broker, PYTHON, HELLO_PYTHON, "(('a',),)");
    await using agent = new AgentProcess(['start'], scenario.env);
    await agent.untilLogged({ event: 'test-container-failed', code: 'RUNTIME_FAILED' });
    const ready = await runProcess(['health', '--ready'], scenario.env);
    expect(ready.exit).toBe(1);
    expect(ready.stdout).toContain(message);
    expect(ready.stdout).toContain('hint: ');
    expect((await runProcess(['health'], scenario.env)).exit).toBe(0);
    const checked = readChecked((await runProcess(['check', '--json'], scenario.env)).stdout);
    expect(lineOf(checked, 'running agent')).toContain(message);
    expect(checked.ready).toBe(false);
    const { store } = scenario.broker;
    expect(store.instances.all().some(({ available }) => available)).toBe(false);
    expect(store.jobsOf(run).map(({ status }) => status)).toEqual([1]);
    isBroken = false;
    await eventually(() => expect(store.jobsOf(run).map(({ status }) => status)).toEqual([3]));
    expect((await runProcess(['health', '--ready'], scenario.env)).exit).toBe(0);
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });
});
