import { expect, test } from 'vitest';
import { runProcess } from '../../support/cli/process.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { openScenario } from '../../support/e2e/scenario.ts';

test('without an engine at the start, health --ready says that it is missing', async () => {
  await using scenario = await openScenario('unix:///nonexistent/docker.sock', {
    SHAREDCLOUD_CPU_SLOTS: '1',
  });
  await using agent = new AgentProcess(['start'], scenario.env);
  await agent.untilLogged({ event: 'startup-blocked', code: 'RUNTIME_UNAVAILABLE' });
  const { exit, stdout } = await runProcess(['health', '--ready', '--json'], scenario.env);
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ healthy: true, ready: false });
  expect(stdout).toContain('--docker-host');
  expect((await runProcess(['health'], scenario.env)).exit).toBe(0);
  agent.signal('SIGTERM');
  expect((await agent.ended).code).toBe(0);
});
