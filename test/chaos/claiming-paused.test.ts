import { expect, test } from 'vitest';
import {
  allDone,
  expectWithin,
  PAUSED,
  RESUMED,
  seen,
  startDaemon,
  watchBroker,
} from '../support/chaos/daemon.ts';
import { addRun, HELLO_PYTHON, openScenario } from '../support/e2e/scenario.ts';
import { describeDocker, PYTHON } from '../support/engine/docker.ts';
import { HttpProxy } from '../support/faults/http-proxy.ts';
import { TcpProxy } from '../support/faults/tcp-proxy.ts';

describeDocker('an engine that cannot be reached', (engine) => {
  test.each(['refuse', 'blackhole'] as const)(
    'for its socket is a %s: claims stop, logged once, and go on once it is back; what runs is done',
    async (trouble) => {
      await using line = await TcpProxy.openUnix(engine.host);
      await using set = await openScenario(line.url, { SHAREDCLOUD_CPU_SLOTS: '2' });
      const slow = `import time\ndef handler(event):\n    time.sleep(event[0])\n    return 'slow'\n`;
      const running = addRun(set.broker, PYTHON, slow, '((4,),)');
      await using front = await HttpProxy.open(set.url);
      await using agent = await startDaemon({ ...set.env, SHAREDCLOUD_BROKER_URL: front.url });
      await agent.untilLogged({ event: 'job-started' });
      await line.setForNew(trouble);
      // One slot is free, nothing was tried, and it is noticed all the same: a job runs.
      await agent.untilLogged(PAUSED);
      const heard = watchBroker(set.broker);
      const waiting = await seen(front, () => addRun(set.broker, PYTHON, HELLO_PYTHON, "(('a',), ('b',))"));
      expect(heard).toEqual([]);
      await line.setForNew('pass');
      const back = performance.now();
      await agent.untilLogged(RESUMED);
      // A ping that nobody answers is given up after three seconds, and the next comes two later at most.
      expectWithin(back, trouble === 'refuse' ? 3_000 : 6_000);
      await allDone(set.broker, waiting, 60_000);
      await allDone(set.broker, running, 60_000);
      expect(heard.filter((what) => what.startsWith('released'))).toEqual([]);
      expect(agent.logged(PAUSED)).toHaveLength(1);
      expect(agent.logged(RESUMED)).toHaveLength(1);
      agent.signal('SIGTERM');
      expect((await agent.ended).code).toBe(0);
    },
  );
});
