import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, openScenario } from '../../support/e2e/scenario.ts';
import { describeOwnEngine, PYTHON } from '../../support/engine/docker.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';

const SLOW = `import time\ndef handler(event):\n    time.sleep(0.5)\n    return event[0]\n`;

describeOwnEngine('an owner who prunes containers, networks and dangling images all the time', () => {
  test('loses no job', async () => {
    await using engine = await PrivateEngine.open();
    await engine.start({ liveRestore: false });
    await using set = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '2' });
    const run = addRun(set.broker, PYTHON, SLOW, '((0,), (1,), (2,), (3,), (4,), (5,))');
    await using agent = new AgentProcess(['start'], set.env);
    const done = new AbortController();
    const pruning = (async () => {
      while (!done.signal.aborted) {
        await engine.docker.pruneContainers();
        await engine.docker.pruneNetworks();
        await engine.docker.pruneImages();
        await delay(100);
      }
    })();
    // A job whose container goes before its start is released, and its run waits for a while.
    const results = () => set.broker.store.jobsOf(run).map(({ result }) => result);
    await expect.poll(results, { timeout: 150_000 }).toEqual(['0', '1', '2', '3', '4', '5']);
    done.abort();
    await pruning;
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect(agent.logged({ event: 'test-container-failed', code: 'CONTAINER_GONE' })).toEqual([]);
  }, 200_000);
});
