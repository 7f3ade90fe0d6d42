import { setInterval as every } from 'node:timers/promises';
import { now } from '../measure/now.ts';
import { usageOf } from '../measure/process.ts';
import { openScene, type Scene } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { until } from '../measure/until.ts';
import { openYardstick } from '../measure/yardstick.ts';
import type { Ground, Row } from '../row.ts';

/** A job that prints a gigabyte: its duration, the agent's memory, and another job at the same time. */
export const flood: Row = {
  name: 'flood',
  measure: async (ground) => {
    const code = printing(ground.quick ? 20 : 1_000);
    await using yardstick = await openYardstick(ground, code);
    await using scene = await openScene(ground, 2);
    await using agent = await scene.start();
    const times: number[] = [];
    const grown: number[] = [];
    const alone: number[] = [];
    const beside: number[] = [];
    const yardsticks: number[] = [];
    await scene.allReported(scene.addRun(WAITING, 2));
    for (let round = 0; round < (ground.quick ? 1 : 3); round += 1) {
      alone.push(await timeOf(scene, WAITING));
      const before = usageOf(agent.child.pid).rssBytes;
      let max = before;
      const over = new AbortController();
      const watching = watch(() => (max = Math.max(max, usageOf(agent.child.pid).rssBytes)), over.signal);
      const flooding = timeOf(scene, code);
      await until('the flood has begun', () => scene.claimed.size > scene.reported.size);
      beside.push(await timeOf(scene, WAITING));
      times.push(await flooding);
      over.abort();
      await watching;
      grown.push((max - before) / 1e6);
      yardsticks.push(await dockerRun(ground, yardstick.dockerRun));
      ground.say(`flood ${times.at(-1)} ms, docker run ${yardsticks.at(-1)} ms, ${grown.at(-1)} MB`);
    }
    return [
      figureOf(
        { what: 'created -> report taken', unit: 'ms', targets: [{ of: 'ratio', atMost: 1.2 }] },
        times,
        {
          what: 'docker run > /dev/null',
          samples: yardsticks,
        },
      ),
      figureOf(
        { what: 'growth of the daemon’s memory', unit: 'MB', targets: [{ of: 'median', atMost: 30 }] },
        grown,
      ),
      figureOf({ what: 'another job of one second meanwhile', unit: 'ms' }, beside, {
        what: 'the same with no flood',
        samples: alone,
      }),
    ];
  },
};

/** Prints so many megabytes in lines of ordinary length. */
const printing = (megabytes: number): string => `import sys
def handler(event):
    block = (b'x' * 99 + b'\\n') * 10000
    for _ in range(${megabytes}):
        sys.stdout.buffer.write(block)
    return 0
`;

const WAITING = 'import time\ndef handler(event):\n    time.sleep(1)\n    return 0\n';

async function timeOf(scene: Scene, code: string): Promise<number> {
  const began = now();
  return (await scene.allReported(scene.addRun(code, 1))) - began;
}

async function dockerRun(_: Ground, run: (times: number, atOnce: number) => Promise<void>): Promise<number> {
  const began = now();
  await run(1, 1);
  return now() - began;
}

async function watch(look: () => void, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of every(50, undefined, { signal })) look();
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}
