import { now } from '../measure/now.ts';
import { isUp, openScene } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { until } from '../measure/until.ts';
import type { Row } from '../row.ts';

const ENDLESS = 'import time\ndef handler(event):\n    time.sleep(3600)\n';

/** From the start of the process to the market, and to the jobs of a killed agent. */
export const restart: Row = {
  name: 'restart',
  measure: async (ground) => {
    const running = ground.quick ? 3 : 50;
    const starts: number[] = [];
    const adoptions: number[] = [];
    const rounds = ground.quick ? 1 : 5;
    await using scene = await openScene(ground, running, { settings: { SHAREDCLOUD_JOB_MEMORY: '64 MB' } });
    for (let round = 0; round < rounds; round += 1) {
      const began = now();
      await using agent = scene.spawn();
      await until('the market', () => isUp(agent));
      starts.push(now() - began);
    }
    {
      await using agent = await scene.start();
      scene.addRun(ENDLESS, running);
      await until('all jobs run', () => times(agent.said, '"event":"job-started"') === running);
    }
    for (let round = 0; round < rounds; round += 1) {
      const began = now();
      await using agent = scene.spawn();
      await until('all jobs adopted', () => times(agent.said, '"event":"job-adopted"') === running);
      adoptions.push(now() - began);
    }
    return [
      figureOf(
        { what: 'start -> on the market', unit: 'ms', targets: [{ of: 'median', atMost: 1_000 }] },
        starts,
      ),
      figureOf(
        {
          what: `start after kill -9 -> ${running} running jobs adopted`,
          unit: 'ms',
          targets: [{ of: 'median', atMost: 2_000 }],
        },
        adoptions,
      ),
    ];
  },
};

const times = (text: string, words: string): number => text.split(words).length - 1;
