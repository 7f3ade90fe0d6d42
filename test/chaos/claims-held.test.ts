import { expect, test } from 'vitest';
import {
  allDone,
  HELD,
  LIFTED,
  said,
  seen,
  startDaemon,
  timesSaid,
  watchBroker,
} from '../support/chaos/daemon.ts';
import { addRun, HELLO_PYTHON, openScenario } from '../support/e2e/scenario.ts';
import { describeDocker, PYTHON } from '../support/engine/docker.ts';
import { HttpProxy } from '../support/faults/http-proxy.ts';
import { TcpProxy } from '../support/faults/tcp-proxy.ts';

describeDocker('an engine that cannot be reached', (engine) => {
  test.each(['refuse', 'blackhole'] as const)(
    'for its socket is a %s: claims stop, told once, and go on soon after it is back; what runs is done',
    async (trouble) => {
      await using line = await TcpProxy.openUnix(engine.host);
      await using set = await openScenario(line.url, { SHAREDCLOUD_CPU_SLOTS: '2' });
      const slow = `import time\ndef handler(event):\n    time.sleep(event[0])\n    return 'slow'\n`;
      const running = addRun(set.broker, PYTHON, slow, '((4,),)');
      await using front = await HttpProxy.open(set.url);
      await using agent = await startDaemon({ ...set.env, SHAREDCLOUD_BROKER_URL: front.url });
      await said(agent, 'job started');
      await line.setForNew(trouble);
      // One slot is free, nothing was tried, and it is noticed all the same: a job runs.
      await said(agent, HELD);
      const told = watchBroker(set.broker);
      const waiting = await seen(front, () => addRun(set.broker, PYTHON, HELLO_PYTHON, "(('a',), ('b',))"));
      expect(told).toEqual([]);
      await line.setForNew('pass');
      const back = performance.now();
      await said(agent, LIFTED);
      // A ping that nobody answers is given up after three seconds, and the next comes two later at most.
      expect(performance.now() - back).toBeLessThan(trouble === 'refuse' ? 3_000 : 6_000);
      await allDone(set.broker, waiting, 60_000);
      await allDone(set.broker, running, 60_000);
      expect(told.filter((what) => what.startsWith('released'))).toEqual([]);
      expect(timesSaid(agent, HELD)).toBe(1);
      expect(timesSaid(agent, LIFTED)).toBe(1);
      agent.signal('SIGTERM');
      expect((await agent.ended).code).toBe(0);
    },
  );
});
